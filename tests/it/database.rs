//! The database keeps mailboxes apart, keeps the daemon small, and knows its own schema.

use crate::harness::TestDb;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use holdfast::foundation::db::schema::{links, mailboxes, skips};
use holdfast::foundation::db::{Db, DbError, migrate};
use holdfast::foundation::ids::MailboxId;

async fn add_mailbox(db: &Db, address: &'static str) -> MailboxId {
    let added: Result<i32, DbError> = db
        .run(move |conn| {
            let id = diesel::insert_into(mailboxes::table)
                .values((
                    mailboxes::address.eq(address),
                    mailboxes::mail_server.eq("head"),
                    mailboxes::crm.eq("sales"),
                    mailboxes::crm_username.eq(address),
                ))
                .returning(mailboxes::id)
                .get_result(conn)?;
            Ok(id)
        })
        .await;
    MailboxId(added.unwrap())
}

fn insert_link(conn: &mut PgConnection, mailbox: MailboxId, item_key: i64) -> Result<(), DbError> {
    diesel::insert_into(links::table)
        .values((
            links::mailbox_id.eq(mailbox.0),
            links::kind.eq(0),
            links::item_key.eq(item_key),
            links::item_version.eq(1),
            links::crm_id.eq(format!("00U{item_key:015}")),
            links::prints.eq(vec![0_u8; 8]),
        ))
        .execute(conn)?;
    Ok(())
}

/// Two mailboxes with one link each.
async fn two_mailboxes(db: &Db) -> (MailboxId, MailboxId) {
    let ada = add_mailbox(db, "ada@example.test").await;
    let bob = add_mailbox(db, "bob@example.test").await;
    for mailbox in [ada, bob] {
        db.run_for(mailbox, move |conn| insert_link(conn, mailbox, 1))
            .await
            .unwrap();
    }
    (ada, bob)
}

fn linked(conn: &mut PgConnection) -> Result<Vec<i32>, DbError> {
    Ok(links::table.select(links::mailbox_id).load(conn)?)
}

#[tokio::test]
async fn a_transaction_for_one_mailbox_sees_no_row_of_another() {
    let test = TestDb::new();
    let db = test.db().await;
    let (ada, bob) = two_mailboxes(&db).await;
    assert_eq!(db.run_for(ada, linked).await.unwrap(), [ada.0]);
    assert_eq!(db.run_for(bob, linked).await.unwrap(), [bob.0]);
}

#[tokio::test]
async fn a_transaction_for_one_mailbox_cannot_write_a_row_of_another() {
    let test = TestDb::new();
    let db = test.db().await;
    let (ada, bob) = two_mailboxes(&db).await;
    let inserted = db.run_for(ada, move |conn| insert_link(conn, bob, 2)).await;
    assert!(matches!(inserted, Err(DbError::NotPermitted(_))), "{inserted:?}");
    let touched: Result<(usize, usize), DbError> = db
        .run_for(ada, move |conn| {
            let theirs = links::table.filter(links::mailbox_id.eq(bob.0));
            let updated = diesel::update(theirs)
                .set(links::item_version.eq(9))
                .execute(conn)?;
            Ok((updated, diesel::delete(theirs).execute(conn)?))
        })
        .await;
    assert_eq!(touched.unwrap(), (0, 0));
    assert_eq!(db.run_for(bob, linked).await.unwrap(), [bob.0]);
}

#[tokio::test]
async fn a_transaction_without_a_mailbox_sees_no_row_of_any() {
    let test = TestDb::new();
    let db = test.db().await;
    two_mailboxes(&db).await;
    // More often than there are connections: one that has served a mailbox forgets it.
    for _ in 0..8 {
        assert_eq!(db.run(linked).await.unwrap(), [0_i32; 0]);
    }
}

#[tokio::test]
async fn a_moved_row_cannot_leave_its_mailbox() {
    let test = TestDb::new();
    let db = test.db().await;
    let (ada, bob) = two_mailboxes(&db).await;
    let moved: Result<usize, DbError> = db
        .run_for(ada, move |conn| {
            Ok(diesel::update(links::table)
                .set(links::mailbox_id.eq(bob.0))
                .execute(conn)?)
        })
        .await;
    assert!(matches!(moved, Err(DbError::NotPermitted(_))), "{moved:?}");
}

#[tokio::test]
async fn totals_count_across_mailboxes_and_show_no_item() {
    #[derive(QueryableByName)]
    struct Total {
        #[diesel(sql_type = BigInt)]
        linked: i64,
        #[diesel(sql_type = BigInt)]
        skipped: i64,
    }
    let test = TestDb::new();
    let db = test.db().await;
    let (ada, _) = two_mailboxes(&db).await;
    let scheduled: Result<(), DbError> = db
        .run(|conn| {
            Ok(conn.batch_execute("INSERT INTO streams (mailbox_id, kind) SELECT id, 0 FROM mailboxes")?)
        })
        .await;
    scheduled.unwrap();
    let totals: Result<Vec<Total>, DbError> = db
        .run_for(ada, move |conn| {
            conn.batch_execute(&format!("INSERT INTO skips VALUES ({ada}, 0, 0, 7, 'private')"))?;
            Ok(diesel::sql_query("SELECT linked, skipped FROM stream_totals()").load(conn)?)
        })
        .await;
    let totals: Vec<(i64, i64)> = totals
        .unwrap()
        .iter()
        .map(|total| (total.linked, total.skipped))
        .collect();
    assert_eq!(totals, [(1, 1), (1, 0)]);
}

#[test]
fn the_daemon_cannot_change_the_schema_or_make_a_place_to_store_in() {
    let test = TestDb::new();
    let mut daemon = test.daemon();
    for statement in [
        "CREATE TABLE notes (body text)",
        "CREATE TEMPORARY TABLE notes (body text)",
        "CREATE SCHEMA notes",
        "ALTER TABLE links ADD COLUMN subject text",
        "ALTER TABLE links DISABLE ROW LEVEL SECURITY",
        "DROP POLICY one_mailbox ON links",
        "DROP TABLE links",
        "TRUNCATE links",
        "UPDATE policies SET body = '{}'",
        "UPDATE egress_ledger SET host = ''",
        "SET ROLE holdfast_owner",
        "INSERT INTO __diesel_schema_migrations VALUES ('9', now())",
    ] {
        let refused = daemon.batch_execute(statement).map_err(DbError::from);
        assert!(
            matches!(refused, Err(DbError::NotPermitted(_))),
            "{statement}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn a_failed_closure_leaves_nothing_behind() {
    let test = TestDb::new();
    let db = test.db().await;
    let (ada, _) = two_mailboxes(&db).await;
    let failed: Result<(), DbError> = db
        .run_for(ada, move |conn| {
            insert_link(conn, ada, 2)?;
            insert_link(conn, ada, 1)
        })
        .await;
    match failed {
        Err(DbError::Constraint { constraint, .. }) => assert_eq!(constraint, "links_pkey"),
        other => panic!("the second row has a key that is taken: {other:?}"),
    }
    assert_eq!(db.run_for(ada, linked).await.unwrap(), [ada.0]);
}

#[tokio::test]
async fn a_panic_in_a_closure_is_an_error_and_the_pool_goes_on() {
    let test = TestDb::new();
    let db = test.db().await;
    let (ada, _) = two_mailboxes(&db).await;
    let stopped: Result<(), DbError> = db
        .run_for(ada, move |conn| {
            insert_link(conn, ada, 2)?;
            panic!("a defect in a store")
        })
        .await;
    assert!(matches!(stopped, Err(DbError::TaskStopped(_))), "{stopped:?}");
    for _ in 0..8 {
        assert_eq!(db.run_for(ada, linked).await.unwrap(), [ada.0]);
    }
}

#[tokio::test]
async fn a_deleted_mailbox_takes_its_rows_along() {
    let test = TestDb::new();
    let db = test.db().await;
    let (ada, _) = two_mailboxes(&db).await;
    let deleted: Result<usize, DbError> = db
        .run(move |conn| Ok(diesel::delete(mailboxes::table.find(ada.0)).execute(conn)?))
        .await;
    assert_eq!(deleted.unwrap(), 1);
    let left: i64 = links::table
        .filter(links::mailbox_id.eq(ada.0))
        .count()
        .get_result(&mut test.superuser())
        .unwrap();
    assert_eq!(left, 0);
    let skipped: i64 = skips::table.count().get_result(&mut test.superuser()).unwrap();
    assert_eq!(skipped, 0);
}

#[test]
fn every_migration_goes_up_down_and_up_to_the_same_schema() {
    let test = TestDb::empty();
    let mut owner = test.owner();
    let empty = whole_schema(&mut owner);
    migrate::run_on(&mut owner).unwrap();
    let first = whole_schema(&mut owner);
    assert_ne!(first, empty);
    migrate::revert_all(&mut owner).unwrap();
    let reverted = whole_schema(&mut owner);
    let left: Vec<&String> = reverted
        .iter()
        .filter(|line| !line.contains("__diesel_schema_migrations"))
        .collect();
    assert_eq!(left, empty.iter().collect::<Vec<_>>());
    migrate::run_on(&mut owner).unwrap();
    assert_eq!(whole_schema(&mut owner), first);
}

#[test]
fn processes_that_migrate_at_the_same_time_migrate_once() {
    let test = TestDb::empty();
    let runs: Vec<_> = (0..4)
        .map(|_| {
            let url = test.owner_url();
            std::thread::spawn(move || migrate::run(&url).unwrap().len())
        })
        .collect();
    let ran: Vec<usize> = runs.into_iter().map(|run| run.join().unwrap()).collect();
    let mut owner = test.owner();
    migrate::verify(&mut owner).unwrap();
    assert_eq!(ran.iter().filter(|count| **count > 0).count(), 1, "{ran:?}");
}

#[test]
fn the_daemon_says_when_the_database_is_behind_or_ahead() {
    let empty = TestDb::empty();
    assert!(matches!(
        migrate::verify(&mut empty.daemon()),
        Err(migrate::MigrateError::Behind(_))
    ));
    let test = TestDb::new();
    migrate::verify(&mut test.daemon()).unwrap();
    test.owner()
        .batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231235959')")
        .unwrap();
    assert!(matches!(
        migrate::verify(&mut test.daemon()),
        Err(migrate::MigrateError::Ahead)
    ));
}

/// Everything that a migration can leave behind, one line each, in order.
fn whole_schema(conn: &mut PgConnection) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Line {
        #[diesel(sql_type = Nullable<Text>)]
        line: Option<String>,
    }
    let lines: Vec<Line> = diesel::sql_query(
        "SELECT 'column ' || table_name || '.' || column_name || ' ' || udt_name || ' ' || is_nullable
                || ' ' || coalesce(column_default, '') AS line
           FROM information_schema.columns WHERE table_schema = 'public'
         UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
         UNION ALL SELECT 'rule ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
           FROM pg_constraint WHERE connamespace = 'public'::regnamespace
         UNION ALL SELECT 'policy ' || tablename || ' ' || policyname || ' ' || roles::text || ' ' || cmd || ' ' || qual
           FROM pg_policies
         UNION ALL SELECT 'function ' || proname || ' ' || prosecdef || ' ' || coalesce(proacl::text, '')
           FROM pg_proc WHERE pronamespace = 'public'::regnamespace
         UNION ALL SELECT 'rights ' || relname || ' ' || coalesce(relacl::text, '') || ' '
                || relrowsecurity || relforcerowsecurity
           FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S')
         ORDER BY line",
    )
    .load(conn)
    .unwrap();
    lines
        .into_iter()
        .map(|line| line.line.unwrap_or_default())
        .collect()
}

/// What `diesel print-schema` would write: a file of generated code needs a test that generates it.
fn printed_schema(conn: &mut PgConnection) -> String {
    #[derive(QueryableByName)]
    struct Text_ {
        #[diesel(sql_type = Text)]
        text: String,
    }
    let mut load = |sql: &str| -> Vec<String> {
        diesel::sql_query(sql)
            .load::<Text_>(conn)
            .unwrap()
            .into_iter()
            .map(|row| row.text)
            .collect()
    };
    let tables = load(
        "SELECT format(E'diesel::table! {\\n    %s (%s) {\\n%s    }\\n}\\n\\n', t.name, k.columns, c.columns) AS text
           FROM (SELECT oid, relname::text AS name FROM pg_class
                  WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname NOT LIKE '\\_\\_%') t,
        LATERAL (SELECT string_agg(a.attname, ', ' ORDER BY array_position(i.indkey::int[], a.attnum::int)) AS columns
                   FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
                  WHERE i.indrelid = t.oid AND i.indisprimary) k,
        LATERAL (SELECT string_agg(format(E'        %s -> %s,\\n', column_name,
                            CASE is_nullable WHEN 'YES' THEN 'Nullable<' || initcap(udt_name) || '>'
                                             ELSE regexp_replace(initcap(udt_name), '^_(.*)$', 'Array<\\1>') END), '' ORDER BY ordinal_position) AS columns
                   FROM information_schema.columns WHERE table_schema = 'public' AND table_name = t.name) c
          ORDER BY t.name",
    );
    let joins = load(
        "SELECT format(E'diesel::joinable!(%s -> %s (%s));\\n', conrelid::regclass, confrelid::regclass, attname) AS text
           FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
          WHERE contype = 'f' AND connamespace = 'public'::regnamespace ORDER BY 1",
    );
    tables.concat() + &joins.concat()
}

#[test]
fn the_schema_in_the_code_is_the_schema_in_the_database() {
    let test = TestDb::new();
    let expected = printed_schema(&mut test.owner());
    let written = include_str!("../../src/foundation/db/schema.rs");
    let written = written
        .split_once("diesel::table!")
        .map(|(_, rest)| format!("diesel::table!{rest}"))
        .unwrap();
    let written = written
        .split_once("\ndiesel::allow_tables")
        .map(|(before, _)| before.to_owned())
        .unwrap();
    assert!(
        written == expected,
        "put this into src/foundation/db/schema.rs:\n\n{expected}"
    );
}
