/** Every word that the console says, in one place; a translation replaces this folder. */

import { admin } from "./admin.js";
import { channels } from "./channels.js";
import { chats } from "./chats.js";
import { common } from "./common.js";
import { flow } from "./flow.js";
import { profile } from "./profile.js";
import { thread } from "./thread.js";

export const text = { ...common, chats, thread, profile, admin, channels, flow };
