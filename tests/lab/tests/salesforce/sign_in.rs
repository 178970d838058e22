//! OAuth: every flow, every refusal.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use holdfast_lab::salesforce::app;
use hyper::Method;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::org::{Answer, Org, ROOT, send};

const TOKEN: &str = "/services/oauth2/token";
const JWT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

fn assertion(claims: &Value) -> String {
    let key = EncodingKey::from_rsa_pem(app::JWT_PRIVATE_KEY_PEM.as_bytes()).expect("the lab's key");
    jsonwebtoken::encode(&Header::new(Algorithm::RS256), claims, &key).expect("a token")
}

fn claims(org: &Org) -> Value {
    json!({
        "iss": app::CLIENT_ID,
        "sub": org.person(0).sf_username,
        "aud": "https://login.salesforce.com",
        "exp": chrono::Utc::now().timestamp() + 120,
    })
}

async fn bearer(org: &Org, claims: &Value) -> Answer {
    org.anonymous(
        Method::POST,
        TOKEN,
        &[("grant_type", JWT), ("assertion", &assertion(claims))],
    )
    .await
}

async fn works(org: &Org, token: &str) -> bool {
    let header = format!("Bearer {token}");
    let path = format!("{ROOT}/query?q=SELECT+Id+FROM+User");
    let answer = send(
        &org.url(),
        Method::GET,
        &path,
        &[("authorization", &header)],
        bytes::Bytes::new(),
    )
    .await;
    let answer = answer.expect("an answer");
    assert!(answer.status == 200 || (answer.status == 401 && answer.code() == "INVALID_SESSION_ID"));
    answer.status == 200
}

fn text(answer: &Answer, name: &str) -> String {
    answer.json()[name].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_signed_assertion_opens_a_session_as_its_user() {
    let org = Org::new().await;
    let answer = bearer(&org, &claims(&org)).await;
    assert_eq!(
        (answer.status.as_u16(), text(&answer, "instance_url")),
        (200, org.url())
    );
    assert!(answer.json()["refresh_token"].is_null());
    let token = text(&answer, "access_token");
    let header = format!("Bearer {token}");
    let who = send(
        &org.url(),
        Method::GET,
        "/services/oauth2/userinfo",
        &[("authorization", &header)],
        bytes::Bytes::new(),
    )
    .await;
    assert_eq!(
        text(&who.expect("an answer"), "user_id"),
        org.person(0).sf_user_id
    );
}

#[tokio::test]
async fn a_wrong_assertion_is_refused_with_the_reason() {
    let org = Org::new().await;
    let gone = org.person(1).sf_username.clone();
    org.control(
        Method::PATCH,
        &format!("/salesforce/users/{gone}"),
        json!({"IsActive": false}),
    )
    .await;
    let table = [
        ("iss", json!("somebody else"), "invalid_client_id"),
        ("sub", json!("nobody@nowhere.example"), "invalid_grant"),
        ("sub", json!(gone), "inactive_user"),
        ("aud", json!("https://evil.example"), "invalid_grant"),
        ("exp", json!(chrono::Utc::now().timestamp() - 10), "invalid_grant"),
    ];
    for (claim, value, error) in table {
        let mut claims = claims(&org);
        claims[claim] = value;
        let answer = bearer(&org, &claims).await;
        assert_eq!(
            (answer.status.as_u16(), text(&answer, "error")),
            (400, error.to_owned()),
            "{claims}"
        );
    }
    let mut forged = assertion(&claims(&org));
    forged.truncate(forged.len() - 8);
    let answer = org
        .anonymous(
            Method::POST,
            TOKEN,
            &[("grant_type", JWT), ("assertion", &forged)],
        )
        .await;
    assert_eq!(text(&answer, "error"), "invalid_grant");
    let users = json!({&org.person(0).sf_username: {"approved": false}});
    org.control(Method::PATCH, "/salesforce/settings", json!({"users": users}))
        .await;
    let answer = bearer(&org, &claims(&org)).await;
    assert_eq!(
        text(&answer, "error_description"),
        "user hasn't approved this consumer"
    );
}

#[tokio::test]
async fn client_credentials_run_as_the_integration_user() {
    let org = Org::new().await;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", app::CLIENT_ID),
        ("client_secret", app::CLIENT_SECRET),
    ];
    let answer = org.anonymous(Method::POST, TOKEN, &form).await;
    assert!(
        text(&answer, "id").ends_with(&app::integration_user_id()),
        "{}",
        answer.json()
    );
    let wrong = [
        ("grant_type", "client_credentials"),
        ("client_id", app::CLIENT_ID),
        ("client_secret", "x"),
    ];
    assert_eq!(
        text(&org.anonymous(Method::POST, TOKEN, &wrong).await, "error"),
        "invalid_client"
    );
}

/// Signs the first person in by the web flow; gives access and refresh token.
async fn web(org: &Org) -> (String, String) {
    let (verifier, back) = (
        "verifier-0123456789-0123456789-0123456789-012",
        "https://app.example/back",
    );
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("response_type", "code"),
            ("client_id", app::CLIENT_ID),
            ("redirect_uri", back),
            ("state", "s t"),
            ("scope", "api refresh_token"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ])
        .finish();
    let page = org
        .anonymous(Method::GET, &format!("/services/oauth2/authorize?{query}"), &[])
        .await;
    assert!(
        page.headers["content-type"]
            .to_str()
            .is_ok_and(|kind| kind.starts_with("text/html"))
    );
    let form = [("username", org.person(0).sf_username.as_str())];
    let there = org
        .anonymous(
            Method::POST,
            &format!("/services/oauth2/authorize?{query}"),
            &form,
        )
        .await;
    assert_eq!(there.status, 302);
    let location = url::Url::parse(there.headers["location"].to_str().expect("text")).expect("a URL");
    let given = |name: &str| {
        location
            .query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    assert_eq!(given("state").as_deref(), Some("s t"));
    let code = given("code").expect("a code");
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("client_id", app::CLIENT_ID),
        ("redirect_uri", back),
        ("code", &code),
        ("code_verifier", verifier),
    ];
    let answer = org.anonymous(Method::POST, TOKEN, &form).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    form[4].1 = "another";
    assert_eq!(
        org.anonymous(Method::POST, TOKEN, &form).await.status,
        400,
        "a code serves once"
    );
    (text(&answer, "access_token"), text(&answer, "refresh_token"))
}

async fn refresh(org: &Org, token: &str) -> Answer {
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", app::CLIENT_ID),
        ("refresh_token", token),
    ];
    org.anonymous(Method::POST, TOKEN, &form).await
}

#[tokio::test]
async fn a_code_gives_a_refresh_token_that_outlives_the_session() {
    let org = Org::new().await;
    let (access, renewal) = web(&org).await;
    assert!(works(&org, &access).await);
    org.control(Method::POST, "/clock", json!({"advance_s": 3 * 3600}))
        .await;
    assert!(!works(&org, &access).await);
    let renewed = refresh(&org, &renewal).await;
    assert!(works(&org, &text(&renewed, "access_token")).await);
    assert!(renewed.json()["refresh_token"].is_null());
    let revoked = org
        .anonymous(Method::POST, "/services/oauth2/revoke", &[("token", &renewal)])
        .await;
    assert_eq!(revoked.status, 200);
    assert!(
        !works(&org, &text(&renewed, "access_token")).await,
        "access tokens go with their refresh token"
    );
    assert_eq!(text(&refresh(&org, &renewal).await, "error"), "invalid_grant");
}

#[tokio::test]
async fn with_rotation_a_refresh_token_serves_once() {
    let org = Org::new().await;
    org.control(
        Method::PATCH,
        "/salesforce/settings",
        json!({"refresh_rotation": true}),
    )
    .await;
    let (_, renewal) = web(&org).await;
    let first = refresh(&org, &renewal).await;
    let second = text(&first, "refresh_token");
    assert!(!second.is_empty() && second != renewal);
    assert_eq!(text(&refresh(&org, &renewal).await, "error"), "invalid_grant");
    let third = refresh(&org, &second).await;
    assert!(works(&org, &text(&third, "access_token")).await);
}

#[tokio::test]
async fn the_versions_need_no_session_and_old_ones_are_gone() {
    let org = Org::new().await;
    let versions = org.anonymous(Method::GET, "/services/data/", &[]).await;
    let newest = versions
        .json()
        .as_array()
        .and_then(|list| list.last().cloned())
        .expect("versions");
    assert_eq!(
        (versions.status.as_u16(), newest["version"].clone()),
        (200, json!("68.0"))
    );
    let old = org
        .anonymous(Method::GET, "/services/data/v20.0/sobjects", &[])
        .await;
    assert_eq!(old.status, 410);
    let none = org
        .anonymous(Method::GET, "/services/data/v60.0/sobjects", &[])
        .await;
    assert_eq!(
        (none.status.as_u16(), none.code()),
        (401, "INVALID_SESSION_ID".to_owned())
    );
}
