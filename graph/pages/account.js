// Follows a link from a mail. Its token is in the fragment, which no server is sent; it is taken out of the
// address at once, and spent only when somebody presses the button: programs that look into mails open links too.

const at = (id) => document.getElementById(id);
const parts = ["verify", "reset", "ask"];
let token = null;

const VERIFY = "mutation ($token: String!) { verifyEmail(input: {token: $token}) { errors { code message } } }";
const RESET =
  "mutation ($token: String!, $new: String!) { resetPassword(input: {token: $token, newPassword: $new}) { errors { code message } } }";
const ASK = "mutation ($login: String!) { requestPasswordReset(input: {login: $login}) { errors { code message } } }";

/** Show one part of the page, or none, under a title. */
function show(title, part) {
  at("title").textContent = title;
  for (const each of parts) at(each).hidden = each !== part;
}

/** Say something; `kind` is "good", "bad" or nothing. */
function say(text, kind = "") {
  const place = at("said");
  place.textContent = text;
  place.className = kind;
  place.hidden = text === "";
  if (kind) place.focus();
}

/** Ask the API; what is wrong with the request as a list of {code, message}, empty when it was done. */
async function ask(query, variables) {
  let answer;
  try {
    const response = await fetch(document.body.dataset.api, {
      method: "POST",
      credentials: "omit",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ query, variables }),
    });
    answer = await response.json();
  } catch {
    return [{ code: "UNREACHABLE", message: "The service could not be reached. Try again in a moment." }];
  }
  if (answer.errors) {
    return answer.errors.map(({ message, extensions }) => {
      const wait = extensions?.retryAfter;
      return { code: extensions?.code, message: wait ? `Too many attempts. Try again in ${inWords(wait)}.` : message };
    });
  }
  return Object.values(answer.data)[0].errors;
}

function inWords(seconds) {
  if (seconds < 60) return seconds === 1 ? "a second" : `${seconds} seconds`;
  const minutes = Math.ceil(seconds / 60);
  return minutes === 1 ? "a minute" : `${minutes} minutes`;
}

/** Run `work` once at a time, with the buttons held meanwhile. */
function held(work) {
  return async (event) => {
    event.preventDefault();
    const buttons = [...document.querySelectorAll("button")];
    if (buttons.some((each) => each.disabled)) return;
    for (const each of buttons) each.disabled = true;
    try {
      await work();
    } finally {
      for (const each of buttons) each.disabled = false;
    }
  };
}

function complain(errors) {
  say(errors.map((each) => each.message).join(" "), "bad");
}

async function verify() {
  const errors = await ask(VERIFY, { token });
  if (errors.length === 0) {
    show("Confirmed", null);
    say("Your email address is confirmed. You can close this page.", "good");
  } else if (errors.some(({ code }) => code === "BAD_LINK")) {
    show("This link does not work any more", null);
    say("It was used before, or it is too old. If your address is not confirmed yet, sign in and ask for a new link.", "bad");
  } else {
    complain(errors);
  }
}

async function reset() {
  const errors = await ask(RESET, { token, new: at("password").value });
  if (errors.length === 0) {
    at("reset").reset();
    show("Your password is new", null);
    say("You can sign in with it now. All your earlier sessions have ended.", "good");
  } else if (errors.some(({ code }) => code === "BAD_LINK")) {
    show("This link does not work any more", "ask");
    say("It was used before, or it is too old. You can ask for a new one here.", "bad");
  } else {
    complain(errors);
    at("password").focus();
  }
}

async function askForLink() {
  const errors = await ask(ASK, { login: at("login").value.trim() });
  if (errors.length > 0) {
    complain(errors);
    return;
  }
  show("Look into your mail", null);
  say("If there is such an account, a link is on its way. It works for 30 minutes.", "good");
}

/** Read what the address asks for, and take the token out of it. */
function begin() {
  const [, kind, given] = /^#(verify|reset)=([\w-]{1,128})$/.exec(location.hash) ?? [];
  const broken = location.hash.length > 1 && !kind;
  history.replaceState(null, "", location.pathname + location.search);
  token = given ?? null;
  say("");
  if (kind === "verify") {
    show("Your email address", "verify");
  } else if (kind === "reset") {
    show("Choose a new password", "reset");
  } else {
    show("There is no link here", "ask");
    say(
      broken
        ? "The link is not whole. Copy all of it from the mail into the address bar."
        : "Open the link from your mail to confirm your address or to choose a new password.",
    );
  }
}

at("confirm").addEventListener("click", held(verify));
at("reset").addEventListener("submit", held(reset));
at("ask").addEventListener("submit", held(askForLink));
at("show").addEventListener("change", ({ target }) => {
  at("password").type = target.checked ? "text" : "password";
});
addEventListener("hashchange", () => {
  if (location.hash.length > 1) begin();
});
begin();
