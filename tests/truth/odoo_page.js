// A person at Odoo's own web page, in Chromium: signs in, opens an event, changes it if told to, and says what the
// page shows of it afterwards. What to do comes as one line of JSON on stdin:
//
//   {"url", "database", "login", "password", "event", "set": {"title", "duration"} or null}
//
// The answer is one line of JSON on stdout: {"title", "start", "duration"}. With "done", the summary of one of the
// person's activities, in the place of "event", it is marked as done instead, in the list of them; the answer is
// {"left"}, the summaries that the list shows then.

"use strict";

const fs = require("fs");
const { chromium } = require("playwright-core");

// Pages take long where all processors are busy.
const PATIENCE = 180_000;
const SWITCHES = [
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

async function signIn(page, task) {
  await page.goto(`${task.url}/web/login?db=${task.database}`);
  await page.fill("input[name=login]", task.login);
  await page.fill("input[name=password]", task.password);
  // Odoo's page holds back what is clicked until the rest of its scripts is there (its lazyloader.js), and loses some.
  await page.waitForFunction(() => !document.body.classList.contains("o_lazy_js_waiting"));
  await page.click(".oe_login_form button[type=submit]");
  const refused = page.locator(".oe_login_form .alert-danger");
  await page.locator(".o_main_navbar").or(refused).first().waitFor();
  if (await refused.count()) {
    throw new Error(`the page refuses the sign-in: ${await refused.innerText()}`);
  }
}

const TITLE = ".o_form_view .o_field_widget[name=name] input";
const DURATION = ".o_form_view .o_field_widget[name=duration] input";
const START = ".o_form_view [data-field=start]";

// As a person does: into the field, type, and out of it again.
async function type(page, field, value) {
  await page.fill(field, value);
  await page.locator(field).blur();
}

async function change(page, set) {
  await type(page, TITLE, set.title);
  if (set.duration) {
    // The end of the meeting follows; only then is the page told everything.
    const worked = page.waitForResponse((answer) => answer.url().includes("/onchange"));
    await type(page, DURATION, set.duration);
    await worked;
  }
  const saved = page.waitForResponse((answer) => answer.url().includes("/web_save"));
  await page.click(".o_form_button_save");
  const answer = await (await saved).json();
  if (answer.error) {
    throw new Error(`the page could not save: ${answer.error.message}`);
  }
  await page.locator(".o_form_status_indicator_buttons.invisible").waitFor({ state: "attached" });
}

const SUMMARIES = ".o_data_row td[name=summary]";

async function markDone(page, task) {
  await page.goto(`${task.url}/odoo/action-mail.mail_activity_action_my`);
  const row = page.locator(".o_data_row", { hasText: task.done });
  const worked = page.waitForResponse((answer) => answer.url().includes("/action_done"));
  await row.locator("button[name=action_done]").click();
  const answer = await (await worked).json();
  if (answer.error) {
    throw new Error(`the page could not mark it as done: ${answer.error.message}`);
  }
  await row.waitFor({ state: "detached" });
  return { left: await page.locator(SUMMARIES).allInnerTexts() };
}

async function main() {
  const task = JSON.parse(fs.readFileSync(0, "utf8"));
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: SWITCHES,
    // Chromium refuses to be root with its sandbox on.
    chromiumSandbox: process.getuid() !== 0,
  });
  try {
    // Whatever the machine's clock and language are, the page says its times alike.
    const page = await browser.newPage({ timezoneId: "UTC", locale: "en-US" });
    page.setDefaultTimeout(PATIENCE);
    await signIn(page, task);
    if (task.done) {
      console.log(JSON.stringify(await markDone(page, task)));
      return;
    }
    await page.goto(`${task.url}/odoo/calendar.event/${task.event}`);
    await page.waitForSelector(TITLE);
    if (task.set) {
      await change(page, task.set);
      await page.reload();
      await page.waitForSelector(TITLE);
    }
    const shown = {
      title: await page.inputValue(TITLE),
      start: await page.getAttribute(START, "data-tooltip"),
      duration: await page.inputValue(DURATION),
    };
    console.log(JSON.stringify(shown));
  } finally {
    await browser.close();
  }
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
