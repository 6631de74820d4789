// Puts new HTML in the place of the old, leaving alone each child that is the same: what has the
// focus, an open menu or a picture that is loaded stays.

const sources = new WeakMap();

export function put(region, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const old = new Map([...region.children].map((child) => [child.id || child.tagName, child]));
  const focused = region.contains(document.activeElement) ? document.activeElement.id : "";
  const children = [...template.content.children].map((child) => {
    const known = old.get(child.id || child.tagName);
    if (known && sources.get(known) === child.outerHTML) return known;
    if (known && child.hasAttribute("hidden") !== known.hidden) child.hidden = known.hidden;
    sources.set(child, child.outerHTML);
    return child;
  });
  const chosen = [...region.querySelectorAll("select[data-keep]")].map(({ id, value }) => [id, value]);
  let place = region.firstElementChild;
  for (const child of children) {
    if (child === place) place = place.nextElementSibling;
    else region.insertBefore(child, place);
  }
  while (place) {
    const next = place.nextElementSibling;
    place.remove();
    place = next;
  }
  for (const [id, value] of chosen) {
    const menu = document.getElementById(id);
    if (menu && menu.value !== value) menu.value = value;
  }
  if (focused && document.activeElement?.id !== focused) document.getElementById(focused)?.focus();
}
