// Keeps the page fresh: asks for it again every two seconds and exchanges the parts that changed. Without this
// script everything works by loading the page. It pauses while nobody can see the page, and tells the server
// whether somebody touched it, because a page that lies open must not keep its session alive.
"use strict";

const EVERY = 2000;
let touched = true;
for (const kind of ["pointermove", "pointerdown", "keydown", "scroll"]) {
  addEventListener(kind, () => { touched = true; }, { passive: true, capture: true });
}

const parts = () => document.querySelectorAll("[data-live]");

// A part that somebody is in the middle of is left for the next time.
function busy(part) {
  const selection = getSelection();
  return part.contains(document.activeElement)
    || (selection && !selection.isCollapsed && part.contains(selection.anchorNode));
}

function exchange(fresh) {
  for (const part of parts()) {
    const next = fresh.getElementById(part.id);
    if (!next) { location.reload(); return; }
    if (!busy(part) && part.outerHTML !== next.outerHTML) part.replaceWith(next);
  }
  if (document.title !== fresh.title) document.title = fresh.title;
}

async function ask() {
  const headers = touched ? {} : { "x-holdfast-unattended": "1" };
  touched = false;
  const answer = await fetch(location.href, { headers, signal: AbortSignal.timeout(10000) });
  if (answer.redirected) { location.assign(answer.url); return; }
  if (!answer.ok) throw new Error(String(answer.status));
  exchange(new DOMParser().parseFromString(await answer.text(), "text/html"));
}

async function again() {
  const stale = document.getElementById("stale");
  try {
    if (!document.hidden) {
      await ask();
      stale.hidden = true;
    }
  } catch {
    stale.hidden = false;
  }
  setTimeout(again, EVERY);
}

if (parts().length > 0) setTimeout(again, EVERY);

// "/" goes to the search, as on many other pages.
addEventListener("keydown", (event) => {
  const search = document.getElementById("text");
  const typing = event.target.matches("input, textarea, select");
  if (event.key === "/" && search && !typing && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    search.focus();
  }
});
