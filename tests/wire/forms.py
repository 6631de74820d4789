"""Buttons found and modals filled in, by what a user reads on them or by custom_id."""

from collections.abc import Mapping

from .json_types import JsonObject
from .models import BUTTON, Message, walk
from .options import ClientRefusalError

TEXT_INPUT = 4
LABEL = 18
LINK_STYLE = 5
TEXT_INPUT_LIMIT = 4000


def find_button(message: Message, which: str) -> JsonObject:
    buttons = [each for each in walk(message.components) if each["type"] == BUTTON]
    for button in buttons:
        if which in (button.get("custom_id"), button.get("label")):
            if button.get("disabled") or button["style"] == LINK_STYLE:
                raise ClientRefusalError(f"the button {which!r} can't be clicked")
            return button
    raise ClientRefusalError(f"no button {which!r}, only {message.buttons}")


def find_select(message: Message, custom_id: str) -> JsonObject:
    for component in walk(message.components):
        if component.get("custom_id") == custom_id and component["type"] != BUTTON:
            return component
    raise ClientRefusalError(f"no select menu {custom_id!r}")


def fill_in(modal: JsonObject, answers: Mapping[str, str]) -> list[JsonObject]:
    """The submitted components, in the shape of the modal's own."""
    remaining = dict(answers)
    submitted = [
        filled
        for component in modal["components"]
        if (filled := _fill_in(component, remaining)) is not None
    ]
    if remaining:
        raise ClientRefusalError(f"the form has no field {', '.join(remaining)}")
    return submitted


def _fill_in(component: JsonObject, answers: dict[str, str]) -> JsonObject | None:
    """None for what a user only reads."""
    if component["type"] == LABEL:
        field = _text_input(component["component"], component["label"], answers)
        return {"type": LABEL, "id": component.get("id", 0), "component": field}
    if "components" in component:
        fields = [
            _text_input(field, field.get("label") or "", answers)
            for field in component["components"]
        ]
        return {"type": component["type"], "components": fields}
    return None


def _text_input(field: JsonObject, label: str, answers: dict[str, str]) -> JsonObject:
    if field["type"] != TEXT_INPUT:
        raise NotImplementedError(f"component type {field['type']} in a modal")
    prefilled = field.get("value") or ""
    value = answers.pop(field["custom_id"], None)
    value = answers.pop(label, prefilled) if value is None else value
    _refuse_bad_length(field, label, value)
    return {
        "type": TEXT_INPUT,
        "id": field.get("id", 0),
        "custom_id": field["custom_id"],
        "value": value,
    }


def _refuse_bad_length(field: JsonObject, label: str, value: str) -> None:
    required = field.get("required", True)
    if not value and not required:
        return
    shortest = max(field.get("min_length") or 0, 1 if required else 0)
    longest = field.get("max_length") or TEXT_INPUT_LIMIT
    if not shortest <= len(value) <= longest:
        raise ClientRefusalError(
            f"{label} takes {shortest} to {longest} characters, not {len(value)}"
        )
