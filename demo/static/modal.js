// A form that the bot shows.

const dialog = document.getElementById("modal");

export function openModal(html, send) {
  const template = document.createElement("template");
  template.innerHTML = html;
  dialog.replaceChildren(template.content);
  const form = dialog.querySelector("form");
  form.querySelector("[data-close]").onclick = () => dialog.close();
  form.onsubmit = async (event) => {
    event.preventDefault();
    const fields = {};
    for (const [name, value] of new FormData(form).entries()) (fields[name] ??= []).push(value);
    const button = form.querySelector("[type=submit]");
    const answer = await send({ do: "submit", interaction: form.dataset.interaction, fields }, button);
    const line = form.querySelector(".error");
    line.textContent = answer.error ?? "";
    line.hidden = !answer.error;
    if (!answer.error && !answer.modal) dialog.close();
  };
  if (!dialog.open) dialog.showModal();
  form.querySelector("input, textarea, select")?.focus();
}
