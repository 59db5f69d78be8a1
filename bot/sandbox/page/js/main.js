// Starts the page: reads the state, follows its changes, and draws what the route asks for.
import { follow as followChanges, getState } from "./api.js";
import { onActed } from "./acts.js";
import { channelPane, drawChannel, drawHead, leaveChannel, onOlder, showMessage } from "./channel.js";
import { activityPane, drawActivity, drawHome, homePane, leaveHome, visitHome } from "./home.js";
import { draw as drawModal } from "./modal.js";
import { onSwitch, showProfile } from "./profile.js";
import { displayName, onPerson } from "./render/names.js";
import { follow as followRoute, openMessage } from "./route.js";
import { drawTop } from "./search.js";
import { drawSidebar } from "./sidebar.js";
import { botChannel, botChannelId, channelOf, changed, chooseActor, isReply, mayHaveMore, messageOf, people, rememberActor, store, subscribe, userByName } from "./store.js";
import { drawThread, showReply, threadPane } from "./thread.js";
import { drawThreads, threadsPane } from "./threads.js";
import { setNow } from "./time.js";
import { announce, drawToasts, resetToasts } from "./toast.js";

const main = document.getElementById("main");
const banner = document.getElementById("banner");
let stop = () => {}, actor = chooseActor(), reading = null, again = false;

main.append(channelPane, homePane, activityPane, threadsPane);
document.getElementById("panes").append(threadPane);

async function read() {
  const wanted = actor, limit = store.limit;
  const state = await getState(store.me || wanted, limit);
  if (wanted !== actor) return;
  if (!state.channels) { await unknownActor(); return; }
  const first = !store.state;
  store.state = state;
  store.held = limit;
  store.connected = state.connected || 0;
  setNow(state.now);
  const me = userByName(actor) || people()[0];
  if (me) store.me = me.id;
  if (first) followRoute();
  changed();
}

/** The address names nobody who is here: take the first person who is. */
async function unknownActor() {
  const { users = [] } = await getState("", 1);
  const first = users.find((u) => !u.is_bot);
  if (!first) throw new Error("nobody is in this workspace");
  actor = first.name;
  store.me = first.id;
  rememberActor(actor);
  await read();
}

/** One reading at a time; a change that comes while reading asks for one more. */
export function refresh() {
  if (reading) { again = true; return reading; }
  reading = read().catch(() => online(false)).finally(() => { reading = null; if (again) { again = false; refresh(); } });
  return reading;
}

function online(is) {
  if (store.online === is) return;
  store.online = is;
  changed();
}

let timer = null;
const soon = () => { clearTimeout(timer); timer = setTimeout(refresh, 40); };

function follow() {
  stop();
  stop = followChanges(actor, { onChange: soon, onStatus: online });
}

onPerson(showProfile);
onActed(async () => { await refresh(); });
onSwitch((user) => {
  actor = user.name;
  store.me = user.id;
  leaveChannel();
  leaveHome();
  resetToasts();
  follow();
  refresh().then(followRoute);
});
/** Older messages are asked for when one scrolls to the top, or opens a thread that is not here yet. */
function more() {
  if (store.limit > store.held) return;   // asked for already, and on their way
  store.limit *= 2;
  refresh();
}
onOlder(more);
/** Brings the message of the address into sight, once it is here. */
function showPlace(channel) {
  const { at, thread } = store.route;
  if (!at || !channel) return;
  const m = messageOf(channel, at);
  if (m && isReply(m) && !thread) { openMessage(channel.id, at, m.thread_ts); return; }
  if (!m && mayHaveMore(channel)) { more(); return; }
  store.route.at = null;
  showMessage(thread || at);
  if (thread) showReply(at);
}

function pane() {
  const { kind, tab } = store.route;
  if (kind === "app") return tab === "home" ? "home" : "channel";
  return kind === "activity" || kind === "threads" ? kind : "channel";
}

function currentChannel() {
  if (store.route.kind === "app") return botChannel() || { id: botChannelId(), name: "patrol", is_im: true, members: [store.me], messages: [] };
  return channelOf(store.route.channel);
}

function drawMain() {
  const which = pane();
  const channel = currentChannel();
  homePane.hidden = which !== "home";
  activityPane.hidden = which !== "activity";
  threadsPane.hidden = which !== "threads";
  channelPane.hidden = which === "activity" || which === "threads" || !channel;
  channelPane.classList.toggle("only-head", which === "home");
  if (which === "home") { drawHead(channel); drawHome(); visitHome(); leaveChannel(); }
  else leaveHome();
  if (which === "activity") { drawActivity(); leaveChannel(); }
  if (which === "threads") { drawThreads(); leaveChannel(); }
  if (which === "channel" && channel) { drawChannel(channel); announce(channel); }
  const threaded = store.route.thread ? channelOf(store.route.channel) : null;
  drawThread(threaded);
  if (threaded && threadPane.hidden && mayHaveMore(threaded)) more();
}

function draw() {
  if (!store.state) return;
  document.body.dataset.pane = store.route.thread && !threadPane.hidden ? "thread" : store.route.kind === "list" ? "list" : "main";
  banner.hidden = store.online;
  banner.textContent = store.online ? "" : "The workspace cannot be reached. Trying to connect again…";
  document.title = `${store.state.team?.name || "Workspace"} · ${displayName(store.me)}`;
  drawMain();
  document.body.dataset.pane = !threadPane.hidden ? "thread" : store.route.kind === "list" ? "list" : "main";
  drawSidebar();
  drawModal();
  drawToasts();
  showPlace(currentChannel());
  document.body.dataset.ready = "true";
}

subscribe(draw);
document.addEventListener("visibilitychange", changed);
setInterval(changed, 30_000);   // "5 minutes ago" grows older by itself
addEventListener("resize", () => { if (store.state && store.route.kind === "list") followRoute(); });
rememberActor(actor);
refresh().finally(() => { drawTop(); follow(); });
