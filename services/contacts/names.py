"""The *Colour Animal* names of contacts nobody has named yet: the same contact always gets the same one."""

from hashlib import sha256

_COLOURS = """
    Amber Amethyst Apricot Aqua Azure Beige Black Blue Brass Bronze Burgundy Canary Caramel Cerise Cerulean Charcoal
    Cherry Chestnut Cinnamon Cobalt Copper Coral Cream Crimson Cyan Denim Ebony Emerald Fuchsia Ginger Golden Green Grey
    Hazel Honey Indigo Ivory Jade Khaki Lavender Lemon Lilac Lime Magenta Mahogany Maroon Mauve Mint Mustard Navy Ochre
    Olive Onyx Opal Orange Orchid Peach Pearl Periwinkle Pink Plum Purple Raspberry Red Rose Ruby Russet Saffron Salmon
    Sapphire Scarlet Sepia Sienna Silver Tan Tangerine Teal Topaz Turquoise Umber Vanilla Vermilion Violet White Yellow
"""
_ANIMALS = """
    Albatross Alpaca Antelope Armadillo Auk Axolotl Badger Barracuda Bear Beaver Bison Bluebird Bobcat Bonobo Buffalo
    Bullfinch Butterfly Camel Capybara Cardinal Caribou Cat Chameleon Cheetah Chickadee Chinchilla Chipmunk Cicada Civet
    Cockatoo Condor Cormorant Cougar Crab Crane Cricket Curlew Deer Dingo Dolphin Dormouse Dove Dragonfly Duck Eagle
    Echidna Egret Eland Elephant Elk Falcon Ferret Finch Firefly Flamingo Fox Frog Gazelle Gecko Gerbil Gibbon Giraffe
    Goldfinch Goose Gopher Grouse Guanaco Gull Hamster Hare Harrier Hawk Hedgehog Heron Hoopoe Hornbill Hummingbird Ibex
    Ibis Iguana Impala Jackdaw Jaguar Jay Kestrel Kingfisher Kite Kiwi Koala Kudu Ladybird Lapwing Lark Lemming Lemur
    Leopard Linnet Lion Lizard Llama Lobster Loon Lynx Macaw Magpie Manatee Mandrill Marmot Marten Meerkat Mink Mole
    Mongoose Moose Moth Narwhal Newt Nightingale Numbat Ocelot Octopus Okapi Opossum Orca Oriole Oryx Osprey Ostrich
    Otter Owl Panda Pangolin Panther Parrot Partridge Peacock Pelican Penguin Pheasant Pika Plover Polecat Porcupine
    Porpoise Puffin Puma Quail Quokka Rabbit Raccoon Raven Reindeer Robin Salamander Sandpiper Seahorse Seal Serval
    Sparrow Squirrel Starling Stoat Stork Swallow Swan Swift Tamarin Tapir Tern Thrush Tiger Tortoise Toucan Turtle
    Vicuna Vole Wallaby Walrus Warbler Waxwing Weasel Whale Wolf Wombat Woodpecker Wren Yak Zebra
"""
COLOURS = tuple(_COLOURS.split())
ANIMALS = tuple(_ANIMALS.split())


def generated_name(contact_id: str) -> str:
    """A name such as "Teal Otter", told by the id alone."""
    digest = sha256(contact_id.encode()).digest()
    colour = int.from_bytes(digest[:8], "big") % len(COLOURS)
    animal = int.from_bytes(digest[8:16], "big") % len(ANIMALS)
    return f"{COLOURS[colour]} {ANIMALS[animal]}"
