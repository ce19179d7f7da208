#include "server/access/login_page.h"

namespace wave::server::access {
namespace {

constexpr std::string_view kPage = R"html(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Log in - wave</title>
<link rel="stylesheet" href="login.css">
<script src="login.js" defer></script>
<main>
  <h1>wave</h1>
  <form id="login">
    <label for="token">Token</label>
    <input id="token" name="token" type="password" autocomplete="off" required autofocus>
    <button type="submit">Log in</button>
    <p id="message" role="alert"></p>
  </form>
  <p>A token comes from whoever runs this server: <code>wave token create</code>. A link that logs in
  by itself: <code>wave token login-link</code>.</p>
</main>
</html>
)html";

constexpr std::string_view kScript = R"js('use strict';
const message = document.getElementById('message');

async function logIn(credential) {
  message.textContent = '';
  const answer = await fetch('api/login', {
    method: 'POST',
    headers: {'Content-Type': 'application/json'},
    body: JSON.stringify(credential),
  });
  if (answer.ok) {
    location.replace('./');
    return;
  }
  const problem = await answer.json().catch(() => ({}));
  const wait = answer.headers.get('Retry-After');
  message.textContent = (problem.detail || problem.title || 'The login failed') +
      (wait ? ' - try again in ' + wait + ' s' : '');
}

function failed() {
  message.textContent = 'The server cannot be reached';
}

// A link's code stands in the fragment, which no server and no log sees; it leaves the history at once.
const code = new URLSearchParams(location.hash.slice(1)).get('code');
if (code) {
  history.replaceState(null, '', location.pathname);
  logIn({code}).catch(failed);
}

document.getElementById('login').addEventListener('submit', (event) => {
  event.preventDefault();
  logIn({token: document.getElementById('token').value.trim()}).catch(failed);
});
)js";

constexpr std::string_view kStyle =
    R"css(:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 26rem; margin: 12vh auto; padding: 0 1rem; }
form { display: grid; gap: 0.75rem; }
input, button { font: inherit; padding: 0.5rem 0.75rem; }
#message { min-height: 1.5em; margin: 0; color: light-dark(#b3261e, #ff8a80); }
)css";

Route file(std::string path, std::string id, std::string type, std::string_view text,
           std::string summary) {
  return {.method = "GET",
          .path = std::move(path),
          .operation_id = std::move(id),
          .tag = "access",
          .summary = std::move(summary),
          .role = auth::Role::kNobody,
          .response_type = type,
          .handler = [type, text](Call&) -> Result<http::Response> {
            return http::Response{.status = 200,
                                  .headers = {{"Content-Type", type + "; charset=utf-8"},
                                              {"Cache-Control", "no-cache"}},
                                  .body = std::string(text)};
          }};
}

}  // namespace

void add_login_page(RouteTable& table) {
  table.add(file("/login", "getLoginPage", "text/html", kPage, "A page to log in with."));
  table.add(file("/login.js", "getLoginScript", "text/javascript", kScript, "Its script."));
  table.add(file("/login.css", "getLoginStyle", "text/css", kStyle, "Its style."));
}

}  // namespace wave::server::access
