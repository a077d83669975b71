"""The messaging service, put together from its entrypoints."""

from services.common.service import Service
from services.common.storage import Storage
from services.common.transient import TransientEvents
from services.messaging.entrypoints.channels import ChannelMethods
from services.messaging.entrypoints.conversations import ConversationMethods
from services.messaging.entrypoints.delays import Delays
from services.messaging.entrypoints.erasure import Erasure
from services.messaging.entrypoints.flows import FlowMethods
from services.messaging.entrypoints.followers import Followers
from services.messaging.entrypoints.identity import IdentityMethods
from services.messaging.entrypoints.messenger import Facebook, MessengerMethods
from services.messaging.entrypoints.posting import PostingMethods
from services.messaging.entrypoints.visitors import VisitorCounting
from services.messaging.entrypoints.webhooks import Receivers, WebhookMethods
from services.messaging.store import MessagingStore


class MessagingService(
    ChannelMethods,
    IdentityMethods,
    FlowMethods,
    PostingMethods,
    ConversationMethods,
    Followers,
    Delays,
    Erasure,
    VisitorCounting,
    MessengerMethods,
    WebhookMethods,
    Service,
):
    """Channels, conversations, messages and bots; README.md beside this file is its contract."""

    name = "messaging"
    store = Storage(MessagingStore)
    transient = TransientEvents()
    facebook = Facebook()
    receivers = Receivers()
