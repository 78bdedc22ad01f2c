"""Predict, then see, in a real browser: one learner, a class by its hands or its phones, and what each learns when."""

import pytest
from playwright.sync_api import Page, expect

from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.ui.classroom import routes, script
from nst_core.ui.classroom.vote import Ballot
from nst_core.ui.explain import predict
from nst_core.ui.studio.class_question import ASK_SECONDS
from nst_core.ui.studio.session import Session
from tests.e2e.test_class import give_password
from tests.e2e.test_explain import PARTS
from tests.e2e.test_projector import BEYOND
from tests.e2e.visitors import forget, load, look_often

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python").Axe()

pytestmark = pytest.mark.e2e

STEP = FIGURES["step"].question
SCROLLS = "document.documentElement.scrollWidth"


def told(page: Page):
    return page.locator("#predict [role=status]")


def test_who_just_looks_sees_the_figure_and_a_question_that_is_opened_hides_it(kept_page):
    page = kept_page.as_it_is()
    page.get_by_role("tab", name="Explain", exact=True).click()
    expect(page.locator(PARTS).first).to_be_visible()
    expect(page.locator("#predict legend")).to_be_hidden()
    page.set_viewport_size({"width": 1280, "height": 500})
    page.locator("#predict summary").evaluate("summary => summary.scrollIntoView({block: 'start'})")
    page.get_by_text("Predict first").press("Enter")
    for hidden in (page.locator("#figure"), page.locator("#figure-words p").first):
        expect(hidden).to_be_hidden()
    expect(page.locator("#predict summary")).to_be_in_viewport(ratio=1)  # though what stood above it is hidden
    page.get_by_role("button", name="Skip it").click()
    expect(page.locator(PARTS).first).to_be_visible()
    expect(told(page)).to_be_hidden()  # what would be right is still to be found out


def test_a_class_s_hands_are_counted_on_a_projector_and_the_answer_comes_after_the_figure(kept_page):
    page = kept_page.as_it_is()
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.get_by_role("tab", name="Explain", exact=True).click()
    page.click("#projector")
    page.keyboard.press(str(list(FIGURES).index("step") + 1))
    expect(page.locator("#predict legend")).to_have_text(STEP.text)
    page.get_by_role("button", name="Count hands").click()
    for letter, hands in zip("ABCD", "3947", strict=True):
        page.get_by_label(f"Hands for {letter}").fill(hands)
    assert page.evaluate(BEYOND) == []
    page.get_by_role("button", name="That is my answer").click()
    expect(told(page)).to_have_text("B it is. Now see the figure.")
    expect(page.locator("#predict .row.right")).to_have_count(0)
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#figure .charts")).to_be_visible()
    expect(page.locator("#predict legend")).to_be_hidden()
    page.keyboard.press("ArrowRight")
    expect(told(page)).to_contain_text("Not B: C.")
    assert page.evaluate(BEYOND) == []
    page.keyboard.press("ArrowDown")
    expect(page.locator("#predict legend")).to_have_text(FIGURES["start"].question.text)
    expect(page.locator("#predict :is(:checked, .hands:not([hidden]))")).to_have_count(0)  # nothing of the last one
    page.get_by_role("button", name="Count hands").click()
    page.locator("#predict [type=radio]").nth(1).check()
    for letter, hands in zip("ABCD", ("3", "2", "5", "11"), strict=True):
        expect(page.get_by_label(f"Hands for {letter}")).to_have_value("")
        page.get_by_label(f"Hands for {letter}").fill(hands)
    page.get_by_role("button", name="That is my answer").click()
    expect(told(page)).to_have_text("D it is. Now see the figure.")
    page.locator("body").press("ArrowDown")
    expect(page.locator("#predict legend")).to_have_text(FIGURES["gram"].question.text)
    page.keyboard.press("a")
    expect(told(page)).to_have_text("A it is. Now see the figure.")


def test_a_lesson_s_link_asks_first_and_an_answer_by_keys_shows_the_figure_and_what_is_right(browser_tab, app_url):
    page = browser_tab
    page.set_viewport_size({"width": 1280, "height": 900})
    forget(page)
    page.goto(f"{app_url}?figure=step&size=64&steps=1")
    expect(page.locator("#predict legend")).to_have_text(STEP.text)
    expect(page.locator("#figure")).to_be_hidden()
    group = page.get_by_role("radiogroup", name=STEP.text)
    expect(group.get_by_role("radio")).to_have_count(4)
    expect(page.get_by_role("button", name="That is my answer")).to_be_disabled()
    group.get_by_role("radio").first.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#figure")).to_be_hidden()  # while the choice is made
    page.get_by_role("button", name="That is my answer").press("Enter")
    expect(told(page)).to_have_text(f"Not B: C. {STEP.answers[2]}. {STEP.why}")
    expect(page.locator(PARTS).first).to_be_visible()
    page.goto(f"{app_url}?figure=step&size=64&steps=1&again")  # the tab remembers
    expect(page.locator(PARTS).first).to_be_visible()
    page.get_by_text("Predict first").click()
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator("#figure")).to_be_hidden()
    group.get_by_role("radio").nth(STEP.right).check()
    page.get_by_role("button", name="That is my answer").click()
    expect(told(page)).to_contain_text("Right: C.")
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator("#figure")).to_be_hidden()
    page.click("#make")  # which skips the question
    expect(page.locator(f"{PARTS} img[src^='data:']").first).to_be_visible()


def test_a_class_votes_from_its_phones_while_the_question_is_open(monkeypatch, new_visitor, app_url):
    monkeypatch.setenv("NST_CLASS_KEY", "open sesame")
    monkeypatch.setattr(Session, "known", {})
    monkeypatch.setattr(routes, "BALLOT", Ballot())
    teacher, pupil = new_visitor(), new_visitor(390)
    look_often(teacher, script.LOOK_SECONDS, predict.LOOK_SECONDS)
    look_often(pupil, ASK_SECONDS)
    complaints = give_password(teacher, app_url)
    load(pupil, app_url)
    teacher.get_by_role("button", name="Ask a question").click()
    teacher.locator("#ask-figure").select_option("step")
    teacher.get_by_role("button", name="Ask it").click()
    group = pupil.get_by_role("radiogroup", name=STEP.text)
    expect(group).to_be_visible()
    assert pupil.evaluate(SCROLLS) == 390
    for answer in (1, 2):
        group.get_by_role("radio").nth(answer).check()
        expect(pupil.locator(".asked-card [role=status]")).to_contain_text(f"{'ABCD'[answer]} is your answer")
    expect(teacher.locator("#votes")).to_have_text("1 vote")
    expect(teacher.locator("#bars .count")).to_have_text(["0", "0", "1", "0"])
    broken = [rule["id"] for page in (teacher, pupil) for rule in axe.run(page).response["violations"]]
    assert broken == []
    pupil.reload()
    expect(group.get_by_role("radio").nth(2)).to_be_checked()
    teacher.get_by_role("button", name="Close the vote").click()
    expect(group.get_by_role("radio").first).to_be_disabled()
    expect(pupil.locator(".asked-card")).not_to_contain_text(STEP.why)
    teacher.get_by_role("button", name="Tell the answer").click()
    expect(pupil.locator(".asked-card [role=status]")).to_have_text(f"Right: C. {STEP.why}")
    assert pupil.context.cookies() == [] and complaints == []

    teacher.set_viewport_size({"width": 1920, "height": 1080})
    teacher.goto(f"{app_url}?figure=gram&view=projector")
    expect(teacher.get_by_role("button", name="Let the class vote")).to_be_visible()
    teacher.keyboard.press("v")
    expect(teacher.locator("#predict .join svg")).to_be_visible()
    expect(pupil.get_by_role("radiogroup", name=FIGURES["gram"].question.text)).to_be_visible()
    pupil.locator(".asked-card label").nth(3).click()
    expect(told(teacher)).to_have_text("1 vote")
    assert teacher.evaluate(BEYOND) == []
    teacher.keyboard.press("v")
    expect(told(teacher)).to_have_text("D it is. Now see the figure.")
