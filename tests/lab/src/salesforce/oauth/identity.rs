//! Who a token belongs to: `/services/oauth2/userinfo` and the identity URL.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::json;

use super::{Form, json_response, typed};
use crate::salesforce::app;
use crate::salesforce::front::bearer;
use crate::salesforce::store::Fields;

/// GET /services/oauth2/userinfo, GET /id/ORG/USER
pub fn answer(form: &Form, request: &Request<Bytes>, endpoint: &str) -> Response<Bytes> {
    let token =
        bearer(request).unwrap_or_else(|| [form.field("oauth_token"), form.field("access_token")].concat());
    let Some(caller) = form.world.caller_of_token(&token) else {
        let status = if endpoint == "userinfo" {
            StatusCode::UNAUTHORIZED
        } else {
            StatusCode::FORBIDDEN
        };
        return typed(status, "text/html; charset=UTF-8", "Bad_OAuth_Token".to_owned());
    };
    let state = form.world.read();
    let Some(user) = state.row("User", &caller.id) else {
        return typed(
            StatusCode::FORBIDDEN,
            "text/html; charset=UTF-8",
            "Bad_OAuth_Token".to_owned(),
        );
    };
    let organization = app::organization_id(state.settings.refreshes);
    let id = format!("{}/id/{organization}/{}", form.base, caller.id);
    let rest = format!("{}/services/data/v{{version}}/", form.base);
    let body = json!({
        "id": id,
        "sub": id,
        "user_id": caller.id,
        "organization_id": organization,
        "username": caller.username,
        "preferred_username": caller.username,
        "nick_name": user.text("Alias"),
        "nickname": user.text("Alias"),
        "display_name": user.text("Name"),
        "name": user.text("Name"),
        "email": user.text("Email"),
        "email_verified": true,
        "first_name": user.text("FirstName"),
        "given_name": user.text("FirstName"),
        "last_name": user.text("LastName"),
        "family_name": user.text("LastName"),
        "timezone": user.text("TimeZoneSidKey"),
        "zoneinfo": user.text("TimeZoneSidKey"),
        "active": user.flag("IsActive"),
        "user_type": "STANDARD",
        "language": user.text("LanguageLocaleKey"),
        "locale": user.text("LocaleSidKey"),
        "urls": {
            "rest": rest,
            "sobjects": format!("{rest}sobjects/"),
            "query": format!("{rest}query/"),
            "search": format!("{rest}search/"),
            "custom_domain": form.base,
        },
    });
    json_response(StatusCode::OK, &body)
}
