// ews-javascript-api against the lab's Exchange: finding, batches, appointments and series,
// contacts, attachments, synchronisation over pages, impersonation and its refusal, streamed
// notifications.
'use strict';

process.env.TZ = 'UTC'; // the library takes times without a zone for the process's own
const ews = require('ews-javascript-api');
const { main } = require('./checks');

function service(lab, login, password, impersonate) {
  const found = new ews.ExchangeService(ews.ExchangeVersion.Exchange2013_SP1);
  found.Url = new ews.Uri(lab.exchange.http_url);
  found.Credentials = new ews.WebCredentials(login, password);
  if (impersonate) {
    found.ImpersonatedUserId = new ews.ImpersonatedUserId(ews.ConnectingIdType.SmtpAddress, impersonate);
    found.HttpHeaders.Add('X-AnchorMailbox', impersonate);
  }
  return found;
}

function own(lab, index) {
  const person = lab.people[index];
  return service(lab, person.login, person.password);
}

function impersonated(lab, mailbox) {
  return service(lab, lab.exchange.service_login, lab.exchange.service_password, mailbox);
}

// A time so many days from now.
function at(days, hour) {
  const day = new Date(Date.now() + days * 86400e3).toISOString().slice(0, 10);
  return new ews.DateTime(`${day}T${String(hour).padStart(2, '0')}:00:00Z`);
}

async function finding(lab, checks) {
  const me = own(lab, 0);
  const view = new ews.ItemView(10);
  view.OrderBy.Add(ews.ItemSchema.DateTimeReceived, ews.SortDirection.Descending);
  const found = await me.FindItems(ews.WellKnownFolderName.Inbox, view);
  checks.equal(found.Items.length, 10, 'a page of ten');
  const times = found.Items.map((item) => item.DateTimeReceived.TotalMilliSeconds);
  checks.equal(times, [...times].sort((a, b) => b - a), 'newest first');
  await me.LoadPropertiesForItems(
    found.Items,
    new ews.PropertySet(ews.BasePropertySet.FirstClassProperties, [ews.ItemSchema.Body]),
  );
  checks.that(found.Items.every((item) => item.Body.Text.length > 0), 'a batch loads the bodies');
  const filter = new ews.SearchFilter.IsEqualTo(ews.ItemSchema.Subject, found.Items[0].Subject);
  const same = await me.FindItems(ews.WellKnownFolderName.Inbox, filter, new ews.ItemView(50));
  checks.that(same.Items.some((item) => item.Id.UniqueId === found.Items[0].Id.UniqueId), 'a search by subject');
  const second = new ews.ItemView(10, 10);
  second.OrderBy.Add(ews.ItemSchema.DateTimeReceived, ews.SortDirection.Descending);
  const rest = await me.FindItems(ews.WellKnownFolderName.Inbox, second);
  const ids = new Set([...found.Items, ...rest.Items].map((item) => item.Id.UniqueId));
  checks.equal(ids.size, 10 + rest.Items.length, 'two pages share nothing');
}

async function mail(lab, checks) {
  const me = own(lab, 0);
  const message = new ews.EmailMessage(me);
  // This client writes an ampersand without escaping it, so there is none here.
  message.Subject = 'Truth js ♥ 1';
  message.Body = new ews.MessageBody(ews.BodyType.Text, 'Grüße 会議 🎉');
  message.ToRecipients.Add('someone@other.example');
  message.Attachments.AddFileAttachment('plán.txt', Buffer.from('attached').toString('base64'));
  await message.Save(ews.WellKnownFolderName.Drafts);
  const read = await ews.EmailMessage.Bind(
    me,
    message.Id,
    new ews.PropertySet(ews.BasePropertySet.FirstClassProperties, [ews.ItemSchema.Attachments]),
  );
  checks.equal(read.Subject, 'Truth js ♥ 1', 'the subject');
  checks.that(read.Body.Text.includes('会議 🎉'), 'the body');
  // This client sends the file with the mail and then once more by itself.
  checks.equal(read.Attachments.Count, 2, 'the attachments');
  const attachment = read.Attachments._getItem(0);
  await attachment.Load();
  checks.equal(Buffer.from(attachment.Base64Content, 'base64').toString(), 'attached', 'its bytes');
  const moved = await read.Move(ews.WellKnownFolderName.Inbox);
  checks.that(moved.Id.UniqueId !== read.Id.UniqueId, 'a move gives another id');
  await moved.Delete(ews.DeleteMode.HardDelete);
  const failure = await checks.rejects(() => ews.EmailMessage.Bind(me, moved.Id), 'a deleted mail');
  checks.equal(failure && failure.ErrorCode, ews.ServiceError.ErrorItemNotFound, 'the code for a deleted mail');
}

async function appointments(lab, checks) {
  const me = own(lab, 0);
  const appointment = new ews.Appointment(me);
  appointment.Subject = 'Truth js appointment';
  appointment.Start = at(45, 9);
  appointment.End = at(45, 10);
  appointment.RequiredAttendees.Add(lab.people[1].smtp);
  await appointment.Save(ews.WellKnownFolderName.Calendar, ews.SendInvitationsMode.SendToNone);
  const read = await ews.Appointment.Bind(me, appointment.Id);
  checks.equal(read.Start.TotalMilliSeconds, at(45, 9).TotalMilliSeconds, 'the start');
  checks.equal(read.RequiredAttendees.Count, 1, 'who was asked');
  read.Location = 'Zürich';
  await read.Update(
    ews.ConflictResolutionMode.AlwaysOverwrite,
    ews.SendInvitationsOrCancellationsMode.SendToNone,
  );
  const again = await ews.Appointment.Bind(me, appointment.Id);
  checks.equal(again.Location, 'Zürich', 'the changed place');
  const view = new ews.CalendarView(at(45, 0), at(46, 0));
  const found = await me.FindAppointments(ews.WellKnownFolderName.Calendar, view);
  checks.that(found.Items.some((item) => item.Subject === 'Truth js appointment'), 'a calendar view shows it');
  await again.Delete(ews.DeleteMode.HardDelete, ews.SendCancellationsMode.SendToNone);
}

async function series(lab, checks) {
  const me = own(lab, 0);
  const master = new ews.Appointment(me);
  master.Subject = 'Truth js series';
  master.Start = at(50, 9);
  master.End = at(50, 10);
  master.StartTimeZone = ews.TimeZoneInfo.Utc;
  master.Recurrence = new ews.Recurrence.DailyPattern(at(50, 9), 2);
  master.Recurrence.NumberOfOccurrences = 5;
  await master.Save(ews.WellKnownFolderName.Calendar, ews.SendInvitationsMode.SendToNone);
  const seen = async () => {
    const view = new ews.CalendarView(at(49, 0), at(70, 0));
    const found = await me.FindAppointments(ews.WellKnownFolderName.Calendar, view);
    return found.Items.filter((item) => item.Subject.startsWith('Truth js series'));
  };
  checks.equal((await seen()).length, 5, 'the occurrences');
  const second = await ews.Appointment.BindToOccurrence(me, master.Id, 2);
  checks.equal(second.Start.TotalMilliSeconds, at(52, 9).TotalMilliSeconds, 'the second one');
  await second.Delete(ews.DeleteMode.HardDelete, ews.SendCancellationsMode.SendToNone);
  checks.equal((await seen()).length, 4, 'the occurrences without the deleted one');
  const failure = await checks.rejects(
    () => ews.Appointment.BindToOccurrence(me, master.Id, 2),
    'a deleted occurrence',
  );
  checks.equal(
    failure && failure.ErrorCode,
    ews.ServiceError.ErrorCalendarOccurrenceIsDeletedFromRecurrence,
    'the code for a deleted occurrence',
  );
  const whole = await ews.Appointment.Bind(me, master.Id);
  await whole.Delete(ews.DeleteMode.HardDelete, ews.SendCancellationsMode.SendToNone);
  checks.equal((await seen()).length, 0, 'what is left of a deleted series');
}

async function contacts(lab, checks) {
  const me = own(lab, 0);
  const contact = new ews.Contact(me);
  contact.GivenName = 'Ελένη';
  contact.Surname = 'Žižka';
  contact.EmailAddresses._setItem(ews.EmailAddressKey.EmailAddress1, new ews.EmailAddress('js@truth.example'));
  contact.PhoneNumbers._setItem(ews.PhoneNumberKey.BusinessPhone, '+49 1');
  await contact.Save(ews.WellKnownFolderName.Contacts);
  const read = await ews.Contact.Bind(me, contact.Id);
  checks.equal([read.GivenName, read.Surname], ['Ελένη', 'Žižka'], 'the names');
  const address = read.EmailAddresses._getItem(ews.EmailAddressKey.EmailAddress1);
  checks.equal(address.Address, 'js@truth.example', 'the address');
  await read.Delete(ews.DeleteMode.HardDelete);
}

async function synchronisation(lab, checks) {
  const me = own(lab, 0);
  const inbox = new ews.FolderId(ews.WellKnownFolderName.Inbox);
  const turn = async (state, page) => {
    const changes = [];
    for (;;) {
      const answer = await me.SyncFolderItems(
        inbox,
        ews.PropertySet.IdOnly,
        null,
        page,
        ews.SyncFolderItemsScope.NormalItems,
        state,
      );
      for (let at = 0; at < answer.Count; at += 1) changes.push(answer._getItem(at));
      state = answer.SyncState;
      if (!answer.MoreChangesAvailable) return { state, changes };
    }
  };
  const first = await turn(null, 20);
  const folder = await ews.Folder.Bind(me, ews.WellKnownFolderName.Inbox);
  checks.equal(first.changes.length, folder.TotalCount, 'a first synchronisation brings every item');
  checks.equal(new Set(first.changes.map((change) => change.ItemId.UniqueId)).size, folder.TotalCount, 'once each');
  const message = new ews.EmailMessage(me);
  message.Subject = 'Truth js sync';
  await message.Save(ews.WellKnownFolderName.Inbox);
  const second = await turn(first.state, 512);
  checks.equal(
    second.changes.map((change) => [change.ChangeType, change.ItemId.UniqueId]),
    [[ews.ChangeType.Create, message.Id.UniqueId]],
    'then what is new',
  );
  await message.Delete(ews.DeleteMode.HardDelete);
  const third = await turn(second.state, 512);
  checks.equal(third.changes.map((change) => change.ChangeType), [ews.ChangeType.Delete], 'then what is gone');
}

async function impersonation(lab, checks) {
  const other = impersonated(lab, lab.people[1].smtp);
  const theirs = await ews.Folder.Bind(other, ews.WellKnownFolderName.Inbox);
  const direct = await ews.Folder.Bind(own(lab, 1), ews.WellKnownFolderName.Inbox);
  checks.equal(theirs.Id.UniqueId, direct.Id.UniqueId, 'an impersonator sees the same folder');
  const outside = impersonated(lab, lab.exchange.outside_scope);
  const failure = await checks.rejects(
    () => ews.Folder.Bind(outside, ews.WellKnownFolderName.Inbox),
    'a mailbox outside the scope',
  );
  checks.equal(
    failure && failure.responseCode, // a SOAP fault, not an answer's code
    ews.ServiceError.ErrorImpersonateUserDenied,
    `the code outside the scope (${failure})`,
  );
}

async function notifications(lab, checks) {
  const me = own(lab, 0);
  const subscription = await me.SubscribeToStreamingNotifications(
    [new ews.FolderId(ews.WellKnownFolderName.Inbox)],
    ews.EventType.NewMail,
    ews.EventType.Created,
    ews.EventType.Modified,
  );
  const connection = new ews.StreamingSubscriptionConnection(me, 1);
  connection.AddSubscription(subscription);
  const writer = own(lab, 0);
  const write = async () => {
    const message = new ews.EmailMessage(writer);
    message.Subject = 'Truth js stream';
    await message.Save(ews.WellKnownFolderName.Inbox);
    return message;
  };
  // One mail between subscribing and listening, one while the stream is open.
  const made = [await write()];
  const seen = new Set();
  const told = new Promise((resolve) => {
    connection.OnNotificationEvent.push(async (_, notification) => {
      notification.Events.forEach((event) => seen.add(event.ItemId && event.ItemId.UniqueId));
      if (made.length === 1 && seen.has(made[0].Id.UniqueId)) {
        made.push(null);
        made[1] = await write();
      }
      if (made[1] && seen.has(made[1].Id.UniqueId)) resolve(true);
    });
    connection.OnDisconnect.push(() => resolve(false));
    connection.OnSubscriptionError.push(() => resolve(false));
  });
  connection.Open(); // resolves only when the stream ends
  checks.that(await told, 'both new mails are told of on the stream');
  for (const message of made) await message.Delete(ews.DeleteMode.HardDelete);
}

main([finding, mail, appointments, series, contacts, synchronisation, impersonation, notifications]);
