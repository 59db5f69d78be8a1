"""How the page reads text: mrkdwn, rich text and date tokens become elements, and nothing else ever does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page

from bot.sandbox.server import Sandbox

pytestmark = pytest.mark.browser

DRAW = """async ([room, name, args]) => {
  const drawn = (await import(`/static/js/render/${room}.js`))[name](...args);
  return { html: drawn.innerHTML, text: drawn.textContent };
}"""
MARKS = {
    "*bold* and _slanted_ and ~gone~": "<strong>bold</strong> and <em>slanted</em> and <s>gone</s>",
    "*bold _and slanted_*": "<strong>bold <em>and slanted</em></strong>",
    "3 * 4 * 5 and snake_case_name": "3 * 4 * 5 and snake_case_name",
    "`*not bold*` `": '<code class="code">*not bold*</code> `',
    "*open": "*open",
    "a &lt;b&gt; &amp;amp; c": "a &lt;b&gt; &amp;amp; c",
    "*line\nbreak*": "*line\nbreak*",
    "<!here> now": '<span class="mention mention-all">@here</span> now',
    "<@U0NOBODY|nobody>": '<span class="mention">@nobody</span>',
    ":white_check_mark: :no_such_thing:": (
        '<span class="emoji" role="img" title=":white_check_mark:" aria-label="white_check_mark">✅</span> '
        ":no_such_thing:"
    ),
}


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    with Sandbox(channels=["payments"]) as sandbox:
        opened = browser.new_context(timezone_id="Europe/Berlin").new_page()
        opened.goto(f"{sandbox.url}/?as=ana")
        opened.wait_for_selector("body[data-ready]")
        yield opened


def draw(page: Page, text: str, **options: Any) -> dict[str, str]:
    drawn: dict[str, str] = page.evaluate(DRAW, ["mrkdwn", "mrkdwn", [text, options]])
    return drawn


@pytest.mark.parametrize("text", MARKS)
def test_marks_become_elements_only_where_slack_reads_them(page: Page, text: str) -> None:
    assert draw(page, text)["html"] == f'<div class="line">{MARKS[text]}</div>'


def test_links_are_web_links_and_open_elsewhere(page: Page) -> None:
    html = draw(page, "<https://a.example/x?y=1&amp;z=2|the runbook>")["html"]
    assert 'href="https://a.example/x?y=1&amp;z=2"' in html
    assert 'target="_blank" rel="noopener noreferrer"' in html
    assert "<a" not in draw(page, "<javascript:alert(1)|x> <data:text/html,x|y>")["html"]


def test_a_bare_address_is_a_link_unless_the_text_is_verbatim(page: Page) -> None:
    text = "see https://evil.example/pay. Now"
    assert '<a class="link" href="https://evil.example/pay"' in draw(page, text)["html"]
    assert "<a" not in draw(page, text, verbatim=True)["html"]


def test_emoji_can_be_left_as_written(page: Page) -> None:
    assert draw(page, ":fire:", emoji=False)["text"] == ":fire:"


def test_pre_and_quotes_stand_apart(page: Page) -> None:
    html = draw(page, "before\n```\nselect *\n  from x\n```\n> said *so*\nafter")["html"]
    assert '<pre class="pre">select *\n  from x</pre>' in html
    assert '<blockquote class="quote"><div class="line">said <strong>so</strong></div></blockquote>' in html


def test_date_tokens_are_read_in_the_readers_zone(page: Page) -> None:
    text = "<!date^1790000000^{date_num} {time}|some day> until <!date^no^{time}|14:05>"
    assert draw(page, text)["text"] == "2026-09-21 4:13 PM until 14:05"


def test_a_person_is_called_by_name(page: Page) -> None:
    assert draw(page, "<@U0ANA> and <#C0PAYMENTS>")["text"] == "@ana and #payments"


def test_a_person_s_name_opens_who_that_is(page: Page) -> None:
    show = "async (text) => document.body.append((await import('/static/js/render/mrkdwn.js')).mrkdwn(text))"
    page.evaluate(show, "<@U0BO>")
    page.get_by_role("button", name="@bo").click()
    card = page.locator(".popover-profile")
    card.get_by_role("button", name="Act as bo").wait_for()
    page.keyboard.press("Escape")
    card.wait_for(state="detached")


def test_rich_text_is_never_parsed(page: Page) -> None:
    text = {"type": "text", "text": "*x* <@U0ANA> <b>", "style": {"bold": True}}
    block = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [text]}]}
    drawn = page.evaluate(DRAW, ["richtext", "richText", [block]])
    assert drawn["html"] == '<div class="rich-section"><strong>*x* &lt;@U0ANA&gt; &lt;b&gt;</strong></div>'


SIGNS = st.sampled_from(
    [*"<>&|*_~`:@#!^\n \"'/=", "```", "&lt;", "<@U0ANA>", "<!date^", "https://", "javascript:"]
)
HOSTILE = st.lists(
    SIGNS | st.text(max_size=4) | st.sampled_from(["<script>", "<img src=x onerror=y>", "{time}"])
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=HOSTILE)
def test_no_text_makes_anything_but_the_pages_own_elements(page: Page, parts: list[str]) -> None:
    seen = page.evaluate(
        """async (text) => {
          const drawn = (await import("/static/js/render/mrkdwn.js")).mrkdwn(text);
          const all = [...drawn.querySelectorAll("*")];
          return { tags: [...new Set(all.map((n) => n.localName))],
                   handlers: all.flatMap((n) => n.getAttributeNames()).filter((a) => a.startsWith("on")),
                   links: [...drawn.querySelectorAll("a")].map((a) => a.protocol) };
        }""",
        "".join(parts).encode("utf-8", "replace").decode(),
    )
    allowed = {"div", "span", "strong", "em", "s", "code", "pre", "blockquote", "a", "button", "time"}
    assert set(seen["tags"]) <= allowed
    assert not seen["handlers"]
    assert set(seen["links"]) <= {"http:", "https:", "mailto:"}
