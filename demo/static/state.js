// Who looks at what, also in the address, so that a page that is loaded again is the same one.

const query = new URLSearchParams(location.search);
let offset = 0;

export const state = {
  as: query.get("as") || "casey",
  in: query.get("in") || "",
  lang: document.documentElement.lang,
  about: "",
  justMoved: true,

  view() {
    return { as: this.as, in: this.in, lang: this.lang, about: this.about };
  },
  setTime(now) {
    offset = now - Date.now();
  },
  // By PostgreSQL's clock, as all deadlines are.
  now() {
    return Date.now() + offset;
  },
};

export function look(there) {
  const moved = { ...(there.as && { as: there.as }), ...(there.in && { in: there.in }) };
  Object.assign(state, moved);
  state.justMoved = true;
  const address = new URL(location.href);
  address.searchParams.set("as", state.as);
  address.searchParams.set("in", state.in);
  history.replaceState(null, "", address);
}

export async function act(request) {
  try {
    const response = await fetch("/act", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...state.view(), ...request }),
    });
    return response.ok ? await response.json() : { error: await response.text() };
  } catch {
    return { error: document.body.dataset.lost };
  }
}
