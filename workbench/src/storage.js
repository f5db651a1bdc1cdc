// Where GraphiQL keeps queries, variables and tabs: only as long as the browser's tab is open, as they
// may hold personal values. Only the theme, and how panes are sized, is kept for longer.

const LASTING = /^graphiql:(theme|\w+Flex)$/;

// Until somebody drags it: narrower than GraphiQL's own third, as examples and documentation wrap well.
const FIRST = { "graphiql:docExplorerFlex": "0.27" };

const placeOf = (key) => (LASTING.test(key) ? localStorage : sessionStorage);

export const storage = {
  getItem: (key) => placeOf(key).getItem(key) ?? FIRST[key] ?? null,
  setItem: (key, value) => placeOf(key).setItem(key, value),
  removeItem: (key) => placeOf(key).removeItem(key),
  clear: () => {
    for (const place of [localStorage, sessionStorage]) {
      Object.keys(place)
        .filter((key) => key.startsWith("graphiql:"))
        .forEach((key) => place.removeItem(key));
    }
  },
  get length() {
    return Object.keys(sessionStorage).filter((key) => key.startsWith("graphiql:")).length;
  },
};
