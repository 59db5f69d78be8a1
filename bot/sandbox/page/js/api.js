// The page's only way out: JSON to the sandbox's own address, and its stream of changes.

export class Refused extends Error {}

async function request(path, options) {
  let response;
  try {
    response = await fetch(path, { ...options, cache: "no-store" });
  } catch {
    throw new Refused("The workspace cannot be reached. Check that the sandbox is running, then try again.");
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok && !body.error) throw new Refused(`The sandbox answered ${response.status}. Try again.`);
  return body;
}

export const getState = (user, limit) => request(`/sandbox/state?user=${encodeURIComponent(user)}&limit=${limit}`);

export const post = (name, body) => request(`/sandbox/${name}`, {
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
});

/** Follows the stream for a person; comes back by itself with growing pauses. Returns a way to stop. */
export function follow(user, { onChange, onStatus }) {
  let source = null, timer = null, pause = 500, stopped = false;
  const open = () => {
    source = new EventSource(`/sandbox/events?user=${encodeURIComponent(user)}`);
    source.onopen = () => { pause = 500; onStatus(true); onChange(); };
    source.onmessage = () => onChange();
    source.onerror = () => {
      source.close();
      if (stopped) return;
      onStatus(false);
      clearTimeout(timer);
      timer = setTimeout(open, pause);
      pause = Math.min(pause * 1.7, 8000);
    };
  };
  open();
  return () => { stopped = true; clearTimeout(timer); source.close(); };
}
