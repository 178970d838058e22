//! The tables as diesel knows them. Compared with a live database by tests/it/database.rs, which prints the
//! text that belongs here when the two differ. Do not edit by hand what that test generates.

diesel::table! {
    ahead (mailbox_id, kind, side, item_key) {
        mailbox_id -> Int4,
        look_at -> Date,
        kind -> Int2,
        side -> Int2,
        item_key -> Int8,
        item_id -> Nullable<Bytea>,
        crm_id -> Nullable<Text>,
    }
}

diesel::table! {
    attachments (mailbox_id, kind, item_key, attachment_key) {
        mailbox_id -> Int4,
        kind -> Int2,
        item_key -> Int8,
        attachment_key -> Int8,
        outcome -> Text,
        crm_id -> Nullable<Text>,
    }
}

diesel::table! {
    choices (id) {
        id -> Int8,
        mailbox_id -> Int4,
        kind -> Int2,
        side -> Int2,
        item_key -> Int8,
        item_id -> Nullable<Bytea>,
        crm_id -> Nullable<Text>,
        stage -> Text,
        candidates -> Array<Text>,
        state -> Text,
        chosen -> Nullable<Text>,
        held_at -> Timestamptz,
    }
}

diesel::table! {
    contents (crm, hash) {
        crm -> Text,
        hash -> Bytea,
        file_id -> Nullable<Text>,
        holder_mailbox -> Int4,
        holder_kind -> Int2,
        holder_fence -> Int8,
        claimed_at -> Timestamptz,
    }
}

diesel::table! {
    crm_backfill (crm, hour) {
        crm -> Text,
        hour -> Timestamptz,
        calls -> Int8,
    }
}

diesel::table! {
    crm_budgets (crm) {
        crm -> Text,
        used -> Nullable<Int8>,
        allowed -> Nullable<Int8>,
        reserve_percent -> Int2,
        heard_at -> Nullable<Timestamptz>,
        backfill_percent -> Int2,
    }
}

diesel::table! {
    crm_purses (crm, node) {
        crm -> Text,
        node -> Uuid,
        calls -> Int8,
        told_at -> Timestamptz,
    }
}

diesel::table! {
    crm_watches (crm) {
        crm -> Text,
        lease_owner -> Nullable<Uuid>,
        lease_expires -> Nullable<Timestamptz>,
        watching -> Bool,
        cursor -> Nullable<Bytea>,
        code -> Nullable<Text>,
    }
}

diesel::table! {
    directory (one) {
        one -> Bool,
        edition -> Uuid,
    }
}

diesel::table! {
    egress_ledger (id) {
        id -> Int8,
        at -> Timestamptz,
        purpose -> Text,
        host -> Text,
        port -> Int4,
        address -> Nullable<Text>,
        outcome -> Text,
        bytes_out -> Int8,
        bytes_in -> Int8,
        duration_ms -> Int4,
    }
}

diesel::table! {
    failures (id) {
        id -> Int8,
        mailbox_id -> Int4,
        kind -> Int2,
        side -> Int2,
        item_key -> Int8,
        item_id -> Nullable<Bytea>,
        crm_id -> Nullable<Text>,
        code -> Text,
        class -> Text,
        attempts -> Int4,
        first_at -> Timestamptz,
        last_at -> Timestamptz,
        next_retry_at -> Nullable<Timestamptz>,
        name -> Nullable<Bytea>,
    }
}

diesel::table! {
    journal (id) {
        id -> Int8,
        item_key -> Int8,
        at -> Timestamptz,
        mailbox_id -> Int4,
        kind -> Int2,
        side -> Int2,
        act -> Int2,
        item_id -> Nullable<Bytea>,
        crm_id -> Nullable<Text>,
    }
}

diesel::table! {
    kept_meetings (meeting) {
        meeting -> Text,
        mailbox_id -> Int4,
        item_key -> Int8,
        owner -> Text,
    }
}

diesel::table! {
    links (mailbox_id, kind, item_key) {
        mailbox_id -> Int4,
        kind -> Int2,
        item_key -> Int8,
        item_version -> Int8,
        item_modified -> Nullable<Timestamptz>,
        crm_modified -> Nullable<Timestamptz>,
        item_id -> Nullable<Bytea>,
        crm_id -> Text,
        prints -> Bytea,
        fixed -> Bool,
    }
}

diesel::table! {
    listen_groups (id) {
        id -> Int4,
        mail_server -> Text,
        lease_owner -> Nullable<Uuid>,
        lease_expires -> Nullable<Timestamptz>,
        code -> Nullable<Text>,
    }
}

diesel::table! {
    listen_members (mailbox_id) {
        mailbox_id -> Int4,
        group_id -> Int4,
        listening -> Bool,
        code -> Nullable<Text>,
    }
}

diesel::table! {
    mailbox_keys (mailbox_id) {
        mailbox_id -> Int4,
        sealed -> Bytea,
    }
}

diesel::table! {
    mailboxes (id) {
        id -> Int4,
        address -> Text,
        mail_server -> Text,
        crm -> Text,
        crm_username -> Text,
        crm_user_id -> Nullable<Text>,
        policy -> Text,
        state -> Text,
        state_code -> Nullable<Text>,
        created_at -> Timestamptz,
        upn -> Nullable<Text>,
        sid -> Nullable<Text>,
    }
}

diesel::table! {
    nodes (id) {
        id -> Uuid,
        name -> Text,
        version -> Text,
        started_at -> Timestamptz,
        seen_at -> Timestamptz,
    }
}

diesel::table! {
    notes (mailbox_id, kind, item_key, note) {
        mailbox_id -> Int4,
        kind -> Int2,
        item_key -> Int8,
        note -> Text,
        people -> Int4,
    }
}

diesel::table! {
    policies (name, version) {
        name -> Text,
        version -> Int4,
        body -> Jsonb,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    quarantine (id) {
        id -> Int8,
        mailbox_id -> Int4,
        kind -> Int2,
        side -> Int2,
        item_key -> Int8,
        item_id -> Nullable<Bytea>,
        crm_id -> Text,
        reason -> Nullable<Text>,
        state -> Text,
        held_at -> Timestamptz,
        decided_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    sealed_secrets (name) {
        name -> Text,
        sealed -> Bytea,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    series (mailbox_id, item_key) {
        mailbox_id -> Int4,
        look_again -> Nullable<Date>,
        item_key -> Int8,
        item_version -> Int8,
        item_id -> Bytea,
        days -> Bytea,
    }
}

diesel::table! {
    sessions (hash) {
        hash -> Bytea,
        created_at -> Timestamptz,
        last_seen_at -> Timestamptz,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    sign_in_codes (hash) {
        hash -> Bytea,
        expires_at -> Timestamptz,
        used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    skips (mailbox_id, kind, side, item_key) {
        mailbox_id -> Int4,
        kind -> Int2,
        side -> Int2,
        item_key -> Int8,
        reason -> Text,
    }
}

diesel::table! {
    streams (mailbox_id, kind) {
        mailbox_id -> Int4,
        kind -> Int2,
        mailbox_cursor -> Nullable<Bytea>,
        crm_cursor -> Nullable<Bytea>,
        first_read_done -> Bool,
        due_at -> Timestamptz,
        lease_owner -> Nullable<Uuid>,
        lease_expires -> Nullable<Timestamptz>,
        fence -> Int8,
        read_total -> Nullable<Int4>,
        read_done -> Int4,
        last_turn_at -> Nullable<Timestamptz>,
        last_change_at -> Nullable<Timestamptz>,
        lag_ms -> Nullable<Int4>,
        attempts -> Int4,
        last_error_code -> Nullable<Text>,
        last_error_at -> Nullable<Timestamptz>,
        survivors_at -> Nullable<Timestamptz>,
        hinted_at -> Nullable<Timestamptz>,
        judged_policy -> Nullable<Text>,
        judged_version -> Nullable<Int4>,
        before_policy -> Nullable<Text>,
        before_version -> Nullable<Int4>,
        crm_organisation -> Nullable<Text>,
    }
}

diesel::table! {
    transfers (mailbox_id, kind, item_key) {
        mailbox_id -> Int4,
        kind -> Int2,
        item_key -> Int8,
        item_id -> Text,
        crm_id -> Text,
        take_off -> Bool,
    }
}

diesel::table! {
    turns (id) {
        id -> Int8,
        mailbox_id -> Int4,
        kind -> Int2,
        started_at -> Timestamptz,
        finished_at -> Timestamptz,
        outcome -> Text,
        counts -> Jsonb,
    }
}

diesel::table! {
    undo_items (id) {
        id -> Int8,
        mailbox_id -> Int4,
        kind -> Int2,
        side -> Int2,
        item_key -> Int8,
        item_id -> Nullable<Bytea>,
        crm_id -> Text,
        code -> Nullable<Text>,
        asked_at -> Timestamptz,
    }
}

diesel::table! {
    unseen_items (mailbox_id, kind, item_key) {
        mailbox_id -> Int4,
        kind -> Int2,
        item_key -> Int8,
    }
}

diesel::joinable!(ahead -> mailboxes (mailbox_id));
diesel::joinable!(attachments -> mailboxes (mailbox_id));
diesel::joinable!(choices -> mailboxes (mailbox_id));
diesel::joinable!(crm_backfill -> crm_budgets (crm));
diesel::joinable!(crm_purses -> crm_budgets (crm));
diesel::joinable!(failures -> mailboxes (mailbox_id));
diesel::joinable!(journal -> mailboxes (mailbox_id));
diesel::joinable!(kept_meetings -> mailboxes (mailbox_id));
diesel::joinable!(links -> mailboxes (mailbox_id));
diesel::joinable!(listen_members -> listen_groups (group_id));
diesel::joinable!(listen_members -> mailboxes (mailbox_id));
diesel::joinable!(mailbox_keys -> mailboxes (mailbox_id));
diesel::joinable!(notes -> mailboxes (mailbox_id));
diesel::joinable!(quarantine -> mailboxes (mailbox_id));
diesel::joinable!(series -> mailboxes (mailbox_id));
diesel::joinable!(skips -> mailboxes (mailbox_id));
diesel::joinable!(streams -> mailboxes (mailbox_id));
diesel::joinable!(transfers -> mailboxes (mailbox_id));
diesel::joinable!(turns -> mailboxes (mailbox_id));
diesel::joinable!(undo_items -> mailboxes (mailbox_id));
diesel::joinable!(unseen_items -> mailboxes (mailbox_id));

diesel::allow_tables_to_appear_in_same_query!(
    ahead, attachments, choices, contents, crm_backfill, crm_budgets, crm_purses, crm_watches, directory, egress_ledger,
    failures, journal, kept_meetings, links, listen_groups, listen_members, mailbox_keys, mailboxes, nodes, notes,
    policies, quarantine, sealed_secrets, series, sessions, sign_in_codes, skips, streams, transfers, turns,
    undo_items, unseen_items,
);
