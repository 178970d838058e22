//! Who may sign in and whose mailbox is whose: the people of the cast, the service account that
//! may impersonate them, and one mailbox outside its scope.

use crate::cast::Cast;
use crate::lab::{OUTSIDE_SCOPE, PEOPLES_LOGIN, SERVICE_LOGIN, SERVICE_PASSWORD};
use chrono_tz::Tz;

/// One account.
#[derive(Clone, Debug)]
pub struct Principal {
    /// Name as the address book shows it.
    pub display: String,
    /// Given and family name.
    pub names: (String, String),
    /// Primary SMTP address.
    pub smtp: String,
    /// User principal name.
    pub upn: String,
    /// Security identifier.
    pub sid: String,
    /// `DOMAIN\user`.
    pub login: String,
    /// Password.
    pub password: String,
    /// Index of its mailbox; none for the service account.
    pub mailbox: Option<usize>,
    /// The mailbox's time zone.
    pub zone: Tz,
    /// Whether it holds the ApplicationImpersonation role.
    pub may_impersonate: bool,
    /// Whether the role's scope covers it.
    pub in_scope: bool,
    /// Whether the synchronising account acts in its name in this request.
    pub syncs: bool,
}

/// All accounts.
#[derive(Clone, Debug)]
pub struct Directory {
    principals: Vec<Principal>,
}

impl Directory {
    /// The accounts of a cast. Mailbox `n` is that of person `n`; the one outside the scope is last.
    pub fn new(cast: &Cast) -> Directory {
        let mut principals: Vec<Principal> = cast
            .people
            .iter()
            .enumerate()
            .map(|(index, person)| Principal {
                display: person.display.clone(),
                names: (person.given.clone(), person.family.clone()),
                smtp: person.smtp.clone(),
                upn: person.upn.clone(),
                sid: person.sid.clone(),
                login: person.login.clone(),
                password: person.password.clone(),
                mailbox: Some(index),
                zone: person.zone,
                may_impersonate: false,
                in_scope: true,
                syncs: false,
            })
            .collect();
        principals.push(Principal {
            display: "Outside Scope".to_owned(),
            names: ("Outside".to_owned(), "Scope".to_owned()),
            smtp: OUTSIDE_SCOPE.to_owned(),
            upn: OUTSIDE_SCOPE.to_owned(),
            sid: "S-1-5-21-1004336348-1177238915-682003330-900".to_owned(),
            login: "LAB\\outside.scope".to_owned(),
            password: SERVICE_PASSWORD.to_owned(),
            mailbox: Some(cast.people.len()),
            zone: Tz::UTC,
            may_impersonate: false,
            in_scope: false,
            syncs: false,
        });
        let service = Principal {
            display: "Holdfast Service".to_owned(),
            names: ("Holdfast".to_owned(), "Service".to_owned()),
            smtp: String::new(),
            upn: "svc-holdfast@lab.example".to_owned(),
            sid: "S-1-5-21-1004336348-1177238915-682003330-901".to_owned(),
            login: SERVICE_LOGIN.to_owned(),
            password: SERVICE_PASSWORD.to_owned(),
            mailbox: None,
            zone: Tz::UTC,
            may_impersonate: true,
            in_scope: false,
            syncs: false,
        };
        principals.push(Principal {
            display: "People's Service".to_owned(),
            upn: "svc-people@lab.example".to_owned(),
            sid: "S-1-5-21-1004336348-1177238915-682003330-902".to_owned(),
            login: PEOPLES_LOGIN.to_owned(),
            ..service.clone()
        });
        principals.push(service);
        Directory { principals }
    }

    /// How many mailboxes there are.
    pub fn mailboxes(&self) -> usize {
        self.principals
            .iter()
            .filter(|principal| principal.mailbox.is_some())
            .count()
    }

    /// The owner of a mailbox.
    pub fn owner(&self, mailbox: usize) -> Option<&Principal> {
        self.principals
            .get(mailbox)
            .filter(|principal| principal.mailbox == Some(mailbox))
    }

    /// The account of a primary SMTP address, whatever its case.
    pub fn by_smtp(&self, smtp: &str) -> Option<&Principal> {
        if smtp.is_empty() {
            return None;
        }
        self.principals
            .iter()
            .find(|principal| principal.smtp.eq_ignore_ascii_case(smtp))
    }

    /// The account of a user principal name.
    pub fn by_upn(&self, upn: &str) -> Option<&Principal> {
        self.principals
            .iter()
            .find(|principal| principal.upn.eq_ignore_ascii_case(upn))
    }

    /// The account of a security identifier.
    pub fn by_sid(&self, sid: &str) -> Option<&Principal> {
        self.principals
            .iter()
            .find(|principal| principal.sid.eq_ignore_ascii_case(sid))
    }

    /// The account somebody signs in as: `DOMAIN\user`, `user` alone, a principal name or an address.
    pub fn by_login(&self, login: &str) -> Option<&Principal> {
        self.principals.iter().find(|principal| {
            let short = principal.login.rsplit('\\').next().unwrap_or_default();
            principal.login.eq_ignore_ascii_case(login)
                || short.eq_ignore_ascii_case(login)
                || principal.upn.eq_ignore_ascii_case(login)
                || (!principal.smtp.is_empty() && principal.smtp.eq_ignore_ascii_case(login))
        })
    }

    /// All accounts that have a mailbox.
    pub fn people(&self) -> impl Iterator<Item = &Principal> {
        self.principals
            .iter()
            .filter(|principal| principal.mailbox.is_some())
    }
}
