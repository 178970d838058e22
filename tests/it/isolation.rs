//! One mailbox cannot see another: asked of every table that has a mailbox in it, as the catalog lists them, so that
//! a new table cannot be forgotten.

use crate::harness::TestDb;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Int4, Nullable, Text};

/// Tables whose rows a transaction without a mailbox sees, each with its reason. One that is bound to a mailbox sees
/// its own alone, here too.
const SCHEDULED: [(&str, &str); 3] = [
    (
        "streams",
        "the scheduler looks for what is due over all mailboxes",
    ),
    (
        "kept_meetings",
        "of many colleagues one keeps a meeting up to date for all",
    ),
    ("listen_members", "one connection listens to many mailboxes"),
];

const ADA: i32 = 1;
const BOB: i32 = 2;

#[derive(QueryableByName)]
struct Table {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Bool)]
    closed: bool,
}

/// Every table that has a mailbox in it.
fn tables(conn: &mut PgConnection) -> Vec<Table> {
    diesel::sql_query(
        "SELECT c.relname::text AS name, c.relrowsecurity AND c.relforcerowsecurity AS closed
           FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'mailbox_id' AND a.attnum > 0
          WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1",
    )
    .load(conn)
    .unwrap()
}

fn is_scheduled(table: &str) -> bool {
    SCHEDULED.iter().any(|(name, _)| *name == table)
}

/// One row in every table for each of two mailboxes. What a row refers to need not be there.
fn fill(test: &TestDb) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Column {
        #[diesel(sql_type = Text)]
        name: String,
        #[diesel(sql_type = Text)]
        kind: String,
    }
    let mut conn = test.superuser();
    conn.batch_execute(
        "INSERT INTO mailboxes (address, mail_server, crm, crm_username)
         SELECT name, 'main', 'main', name FROM unnest(ARRAY['ada@example.test', 'bob@example.test']) name;
         SET session_replication_role = replica;",
    )
    .unwrap();
    let names: Vec<String> = tables(&mut conn).into_iter().map(|table| table.name).collect();
    for table in &names {
        let columns: Vec<Column> = diesel::sql_query(
            "SELECT column_name::text AS name, udt_name::text AS kind FROM information_schema.columns
              WHERE table_schema = 'public' AND table_name = $1 AND column_name <> 'mailbox_id'
                AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'",
        )
        .bind::<Text, _>(table)
        .load(&mut conn)
        .unwrap();
        let (mut into, mut values) = ("mailbox_id".to_owned(), "$mailbox".to_owned());
        for Column { name, kind } in columns {
            let value = match kind.as_str() {
                "int2" | "int4" | "int8" => "0",
                // Of what is unique over all mailboxes each has one of its own.
                "text" => "'x$mailbox'",
                "bytea" => "'\\x00'",
                "timestamptz" => "now()",
                "date" => "current_date",
                "bool" => "false",
                "jsonb" => "'{}'",
                "uuid" => "gen_random_uuid()",
                other => panic!("{table}.{name} is of a type that this test does not know: {other}"),
            };
            into = format!("{into}, {name}");
            values = format!("{values}, {value}");
        }
        for mailbox in [ADA, BOB] {
            let values = values.replace("$mailbox", &mailbox.to_string());
            conn.batch_execute(&format!("INSERT INTO {table} ({into}) VALUES ({values})"))
                .unwrap();
        }
    }
    names
}

/// Whose rows of a table a connection sees.
fn seen(conn: &mut PgConnection, table: &str) -> Vec<i32> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Int4)]
        mailbox_id: i32,
    }
    let rows: Vec<Row> = diesel::sql_query(format!("SELECT mailbox_id FROM {table} ORDER BY 1"))
        .load(conn)
        .unwrap();
    rows.into_iter().map(|row| row.mailbox_id).collect()
}

/// Binds a connection to a mailbox, as the bridge binds a transaction.
fn bind(conn: &mut PgConnection, mailbox: i32) {
    conn.batch_execute(&format!(
        "SELECT set_config('holdfast.mailbox', '{mailbox}', false)"
    ))
    .unwrap();
}

#[test]
fn every_table_with_a_mailbox_in_it_is_closed_even_to_its_owner() {
    let test = TestDb::new();
    let tables = tables(&mut test.owner());
    assert!(tables.len() > 10, "the catalog lists {} tables", tables.len());
    let open: Vec<&str> = tables
        .iter()
        .filter(|table| !table.closed)
        .map(|table| table.name.as_str())
        .collect();
    assert_eq!(open, [""; 0]);
    let known = |name: &str| tables.iter().any(|table| table.name == name);
    assert!(
        SCHEDULED.iter().all(|(name, _)| known(name)),
        "an exception for no table"
    );
}

#[test]
fn a_transaction_for_one_mailbox_sees_its_own_rows_of_every_table_and_no_others() {
    let test = TestDb::new();
    let names = fill(&test);
    let mut daemon = test.daemon();
    bind(&mut daemon, ADA);
    for table in &names {
        assert_eq!(seen(&mut daemon, table), [ADA], "{table}");
    }
}

#[test]
fn a_transaction_without_a_mailbox_sees_rows_of_what_is_scheduled_and_of_nothing_else() {
    let test = TestDb::new();
    let names = fill(&test);
    let mut daemon = test.daemon();
    for table in &names {
        let expected: &[i32] = if is_scheduled(table) { &[ADA, BOB] } else { &[] };
        assert_eq!(seen(&mut daemon, table), expected, "{table}");
    }
}

#[test]
fn a_transaction_for_one_mailbox_changes_and_removes_no_row_of_another_in_any_table() {
    let test = TestDb::new();
    let names = fill(&test);
    let mut daemon = test.daemon();
    bind(&mut daemon, ADA);
    for table in &names {
        // A right that the daemon has not got at all is as good as no row.
        let _ = daemon.batch_execute(&format!("UPDATE {table} SET mailbox_id = {BOB}"));
        let _ = daemon.batch_execute(&format!(
            "UPDATE {table} SET mailbox_id = {ADA} WHERE mailbox_id = {BOB}"
        ));
        let _ = daemon.batch_execute(&format!("DELETE FROM {table}"));
    }
    let mut all = test.superuser();
    for table in &names {
        let left = seen(&mut all, table);
        assert_eq!(
            left.iter().filter(|id| **id == BOB).count(),
            1,
            "{table}: {left:?}"
        );
    }
}

#[test]
fn every_policy_of_a_table_with_a_mailbox_in_it_binds_the_daemon_to_one_mailbox() {
    #[derive(QueryableByName)]
    struct Policy {
        #[diesel(sql_type = Text)]
        on_table: String,
        #[diesel(sql_type = Text)]
        name: String,
        #[diesel(sql_type = Nullable<Text>)]
        rule: Option<String>,
    }
    let test = TestDb::new();
    let policies: Vec<Policy> = diesel::sql_query(
        "SELECT tablename::text AS on_table, policyname::text AS name, qual AS rule FROM pg_policies
          WHERE schemaname = 'public' AND NOT 'holdfast_owner' = ANY (roles) ORDER BY 1, 2",
    )
    .load(&mut test.owner())
    .unwrap();
    for Policy { on_table, name, rule } in &policies {
        let expected = if is_scheduled(on_table) {
            "own_or_unbound"
        } else {
            "one_mailbox"
        };
        assert_eq!(name, expected, "{on_table}");
        let rule = rule.as_deref().unwrap_or_default();
        assert!(
            rule.contains("current_setting('holdfast.mailbox'"),
            "{on_table}: {rule}"
        );
    }
    assert!(policies.len() > 10);
}
