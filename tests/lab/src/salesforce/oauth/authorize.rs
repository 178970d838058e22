//! The authorization page: a person signs in by a form, a test by the parameter `lab_user`, and the
//! browser goes back to the app with a code.

use std::sync::PoisonError;

use bytes::Bytes;
use chrono::TimeDelta;
use http::{Response, StatusCode};

use super::token::user_named;
use super::{Form, OAuthError, redirect, result, typed};
use crate::salesforce::app;
use crate::salesforce::sessions::{Code, new_token};

const CARRIED: &[&str] = &[
    "response_type",
    "client_id",
    "redirect_uri",
    "state",
    "scope",
    "code_challenge",
    "code_challenge_method",
];

/// GET and POST /services/oauth2/authorize
pub fn answer(form: &Form) -> Response<Bytes> {
    if form.field("client_id") != app::CLIENT_ID {
        return result(Err(OAuthError::new(
            "invalid_client_id",
            "client identifier invalid",
        )));
    }
    let redirect_uri = form.field("redirect_uri");
    if url::Url::parse(redirect_uri).is_err() {
        return result(Err(OAuthError::new(
            "redirect_uri_missing",
            "redirect_uri is missing or no URL",
        )));
    }
    if form.field("response_type") != "code" {
        return back(form, &[("error", "unsupported_response_type")]);
    }
    let method = form.field("code_challenge_method");
    if !form.field("code_challenge").is_empty() && !matches!(method, "" | "S256") {
        return back(
            form,
            &[
                ("error", "invalid_request"),
                ("error_description", "code_challenge_method must be S256"),
            ],
        );
    }
    let username = [form.field("lab_user"), form.field("username")]
        .into_iter()
        .find(|name| !name.is_empty());
    let Some(username) = username else {
        return page(form, "");
    };
    let Some(user) = user_named(form, username) else {
        return page(form, "Please check your username and password.");
    };
    let scope = form.field("scope");
    let code = Code {
        user,
        redirect_uri: redirect_uri.to_owned(),
        challenge: Some(form.field("code_challenge").to_owned()).filter(|challenge| !challenge.is_empty()),
        expires: form.world.clock.now() + TimeDelta::minutes(15),
        offline: scope.contains("refresh_token")
            || scope.contains("offline_access")
            || scope.contains("full"),
    };
    let name = new_token("aPrx");
    form.world
        .sessions
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .keep_code(name.clone(), code);
    back(form, &[("code", &name)])
}

fn back(form: &Form, parameters: &[(&str, &str)]) -> Response<Bytes> {
    let Ok(mut to) = url::Url::parse(form.field("redirect_uri")) else {
        return result(Err(OAuthError::new(
            "redirect_uri_mismatch",
            "redirect_uri must match configuration",
        )));
    };
    let state = form.field("state");
    let state = (!state.is_empty()).then_some(("state", state));
    to.query_pairs_mut()
        .extend_pairs(parameters.iter().copied().chain(state));
    redirect(to.as_str())
}

fn page(form: &Form, message: &str) -> Response<Bytes> {
    let hidden: String = CARRIED
        .iter()
        .map(|name| {
            format!(
                "<input type=hidden name={name} value=\"{}\">",
                escaped(form.field(name))
            )
        })
        .collect();
    let html = format!(
        "<!doctype html><title>Login</title><p>{message}</p>\
         <form method=post action=/services/oauth2/authorize>{hidden}\
         <label>Username <input name=username id=username></label>\
         <label>Password <input name=pw id=password type=password></label>\
         <button id=Login>Log In</button></form>"
    );
    typed(StatusCode::OK, "text/html; charset=UTF-8", html)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
}
