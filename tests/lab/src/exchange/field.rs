//! The properties of items as Exchange Web Services names them: one row a property, with its field
//! URI, the form of its value and the first schema that knows it. Reading requests, writing
//! responses, updating, searching and sorting all go by this table.
//!
//! Source: "FieldURI" and the item type pages of the EWS reference.

use super::version::Version;
use serde::{Deserialize, Serialize};

/// How a property's element is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Character data.
    Text,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// A number with a dot.
    Double,
    /// `xs:dateTime` in UTC.
    Time,
    /// `t:String` children.
    Strings,
    /// Base64 character data.
    Binary,
    /// Character data with a `BodyType` attribute.
    Body,
    /// One `t:Mailbox` child.
    Recipient,
    /// Any number of `t:Mailbox` children.
    Recipients,
    /// `t:Attendee` children.
    Attendees,
    /// A pattern and a range.
    Recurrence,
    /// A time zone definition.
    Zone,
    /// A dictionary with `t:Entry` children.
    Dictionary,
    /// Made by the server on each reading, or an element of its own kind.
    Computed,
}

macro_rules! fields {
    ($($variant:ident $uri:literal $form:ident $since:ident)*) => {
        /// One property of an item.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "each variant is documented by its field URI")]
        pub enum Field { $($variant),* }

        const ROWS: &[(Field, &str, Form, Version)] =
            &[$((Field::$variant, $uri, Form::$form, Version::$since)),*];
    };
}

fields! {
    MimeContent "item:MimeContent" Computed E2007
    ItemId "item:ItemId" Computed E2007
    ParentFolderId "item:ParentFolderId" Computed E2007
    ItemClass "item:ItemClass" Text E2007
    Subject "item:Subject" Text E2007
    Sensitivity "item:Sensitivity" Text E2007
    Body "item:Body" Body E2007
    Attachments "item:Attachments" Computed E2007
    DateTimeReceived "item:DateTimeReceived" Time E2007
    Size "item:Size" Computed E2007
    Categories "item:Categories" Strings E2007
    Importance "item:Importance" Text E2007
    InReplyTo "item:InReplyTo" Text E2007
    IsSubmitted "item:IsSubmitted" Bool E2007
    IsDraft "item:IsDraft" Bool E2007
    IsFromMe "item:IsFromMe" Bool E2007
    IsResend "item:IsResend" Bool E2007
    IsUnmodified "item:IsUnmodified" Bool E2007
    InternetMessageHeaders "item:InternetMessageHeaders" Computed E2007
    DateTimeSent "item:DateTimeSent" Time E2007
    DateTimeCreated "item:DateTimeCreated" Time E2007
    ResponseObjects "item:ResponseObjects" Computed E2007
    ReminderDueBy "item:ReminderDueBy" Time E2007
    ReminderIsSet "item:ReminderIsSet" Bool E2007
    ReminderNextTime "item:ReminderNextTime" Time E2013
    ReminderMinutesBeforeStart "item:ReminderMinutesBeforeStart" Int E2007
    DisplayCc "item:DisplayCc" Computed E2007
    DisplayTo "item:DisplayTo" Computed E2007
    HasAttachments "item:HasAttachments" Computed E2007
    ExtendedProperties "item:ExtendedProperty" Computed E2007
    Culture "item:Culture" Text E2007
    EffectiveRights "item:EffectiveRights" Computed E2007
    LastModifiedName "item:LastModifiedName" Computed E2007
    LastModifiedTime "item:LastModifiedTime" Computed E2007
    IsAssociated "item:IsAssociated" Bool E2010
    ConversationId "item:ConversationId" Computed E2010
    UniqueBody "item:UniqueBody" Computed E2010
    Flag "item:Flag" Text E2013
    StoreEntryId "item:StoreEntryId" Computed E2010Sp2
    InstanceKey "item:InstanceKey" Computed E2013
    NormalizedBody "item:NormalizedBody" Computed E2013
    Preview "item:Preview" Computed E2013
    TextBody "item:TextBody" Computed E2013

    Sender "message:Sender" Recipient E2007
    ToRecipients "message:ToRecipients" Recipients E2007
    CcRecipients "message:CcRecipients" Recipients E2007
    BccRecipients "message:BccRecipients" Recipients E2007
    IsReadReceiptRequested "message:IsReadReceiptRequested" Bool E2007
    IsDeliveryReceiptRequested "message:IsDeliveryReceiptRequested" Bool E2007
    ConversationIndex "message:ConversationIndex" Binary E2007
    ConversationTopic "message:ConversationTopic" Text E2007
    From "message:From" Recipient E2007
    InternetMessageId "message:InternetMessageId" Text E2007
    IsRead "message:IsRead" Bool E2007
    MessageIsResponseRequested "message:IsResponseRequested" Bool E2007
    References "message:References" Text E2007
    ReplyTo "message:ReplyTo" Recipients E2007
    ReceivedBy "message:ReceivedBy" Recipient E2007
    ReceivedRepresenting "message:ReceivedRepresenting" Recipient E2007
    PostedTime "postitem:PostedTime" Time E2007

    AssociatedCalendarItemId "meeting:AssociatedCalendarItemId" Computed E2007
    IsDelegated "meeting:IsDelegated" Bool E2007
    IsOutOfDate "meeting:IsOutOfDate" Bool E2007
    HasBeenProcessed "meeting:HasBeenProcessed" Bool E2007
    ResponseType "meeting:ResponseType" Text E2007
    MeetingRequestType "meetingRequest:MeetingRequestType" Text E2007
    IntendedFreeBusyStatus "meetingRequest:IntendedFreeBusyStatus" Text E2007

    Uid "calendar:UID" Text E2007
    RecurrenceId "calendar:RecurrenceId" Time E2007
    DateTimeStamp "calendar:DateTimeStamp" Time E2007
    Start "calendar:Start" Time E2007
    End "calendar:End" Time E2007
    OriginalStart "calendar:OriginalStart" Time E2007
    IsAllDayEvent "calendar:IsAllDayEvent" Bool E2007
    LegacyFreeBusyStatus "calendar:LegacyFreeBusyStatus" Text E2007
    Location "calendar:Location" Text E2007
    When "calendar:When" Text E2007
    IsMeeting "calendar:IsMeeting" Bool E2007
    IsCancelled "calendar:IsCancelled" Bool E2007
    IsRecurring "calendar:IsRecurring" Computed E2007
    MeetingRequestWasSent "calendar:MeetingRequestWasSent" Bool E2007
    IsResponseRequested "calendar:IsResponseRequested" Bool E2007
    CalendarItemType "calendar:CalendarItemType" Computed E2007
    MyResponseType "calendar:MyResponseType" Text E2007
    Organizer "calendar:Organizer" Recipient E2007
    RequiredAttendees "calendar:RequiredAttendees" Attendees E2007
    OptionalAttendees "calendar:OptionalAttendees" Attendees E2007
    Resources "calendar:Resources" Attendees E2007
    Duration "calendar:Duration" Computed E2007
    TimeZone "calendar:TimeZone" Computed E2007
    AppointmentReplyTime "calendar:AppointmentReplyTime" Time E2007
    AppointmentSequenceNumber "calendar:AppointmentSequenceNumber" Int E2007
    AppointmentState "calendar:AppointmentState" Int E2007
    Recurrence "calendar:Recurrence" Recurrence E2007
    FirstOccurrence "calendar:FirstOccurrence" Computed E2007
    LastOccurrence "calendar:LastOccurrence" Computed E2007
    ModifiedOccurrences "calendar:ModifiedOccurrences" Computed E2007
    DeletedOccurrences "calendar:DeletedOccurrences" Computed E2007
    MeetingTimeZone "calendar:MeetingTimeZone" Zone E2007
    StartTimeZone "calendar:StartTimeZone" Zone E2010
    EndTimeZone "calendar:EndTimeZone" Zone E2010
    ConferenceType "calendar:ConferenceType" Int E2007
    AllowNewTimeProposal "calendar:AllowNewTimeProposal" Bool E2007
    IsOnlineMeeting "calendar:IsOnlineMeeting" Bool E2007
    MeetingWorkspaceUrl "calendar:MeetingWorkspaceUrl" Text E2007
    NetShowUrl "calendar:NetShowUrl" Text E2007
    EnhancedLocation "calendar:EnhancedLocation" Computed E2013
    StartWallClock "calendar:StartWallClock" Computed E2013
    EndWallClock "calendar:EndWallClock" Computed E2013
    StartTimeZoneId "calendar:StartTimeZoneId" Computed E2013
    EndTimeZoneId "calendar:EndTimeZoneId" Computed E2013
    JoinOnlineMeetingUrl "calendar:JoinOnlineMeetingUrl" Text E2013
    IsOrganizer "calendar:IsOrganizer" Computed E2013

    ContactFileAs "contacts:FileAs" Text E2007
    FileAsMapping "contacts:FileAsMapping" Text E2007
    DisplayName "contacts:DisplayName" Text E2007
    GivenName "contacts:GivenName" Text E2007
    Initials "contacts:Initials" Text E2007
    MiddleName "contacts:MiddleName" Text E2007
    Nickname "contacts:Nickname" Text E2007
    CompleteName "contacts:CompleteName" Computed E2007
    CompanyName "contacts:CompanyName" Text E2007
    EmailAddresses "contacts:EmailAddresses" Dictionary E2007
    PhysicalAddresses "contacts:PhysicalAddresses" Dictionary E2007
    PhoneNumbers "contacts:PhoneNumbers" Dictionary E2007
    AssistantName "contacts:AssistantName" Text E2007
    Birthday "contacts:Birthday" Time E2007
    BusinessHomePage "contacts:BusinessHomePage" Text E2007
    Children "contacts:Children" Strings E2007
    ContactCompanies "contacts:Companies" Strings E2007
    ContactSource "contacts:ContactSource" Text E2007
    Department "contacts:Department" Text E2007
    Generation "contacts:Generation" Text E2007
    ImAddresses "contacts:ImAddresses" Dictionary E2007
    JobTitle "contacts:JobTitle" Text E2007
    Manager "contacts:Manager" Text E2007
    ContactMileage "contacts:Mileage" Text E2007
    OfficeLocation "contacts:OfficeLocation" Text E2007
    PostalAddressIndex "contacts:PostalAddressIndex" Text E2007
    Profession "contacts:Profession" Text E2007
    SpouseName "contacts:SpouseName" Text E2007
    Surname "contacts:Surname" Text E2007
    WeddingAnniversary "contacts:WeddingAnniversary" Time E2007
    HasPicture "contacts:HasPicture" Computed E2010
    PhoneticFullName "contacts:PhoneticFullName" Text E2010Sp2
    PhoneticFirstName "contacts:PhoneticFirstName" Text E2010Sp2
    PhoneticLastName "contacts:PhoneticLastName" Text E2010Sp2
    Alias "contacts:Alias" Text E2010Sp2
    Notes "contacts:Notes" Text E2010Sp2
    Members "distributionlist:Members" Recipients E2010

    ActualWork "task:ActualWork" Int E2007
    AssignedTime "task:AssignedTime" Time E2007
    BillingInformation "task:BillingInformation" Text E2007
    ChangeCount "task:ChangeCount" Int E2007
    TaskCompanies "task:Companies" Strings E2007
    CompleteDate "task:CompleteDate" Time E2007
    TaskContacts "task:Contacts" Strings E2007
    DelegationState "task:DelegationState" Text E2007
    Delegator "task:Delegator" Text E2007
    DueDate "task:DueDate" Time E2007
    IsAssignmentEditable "task:IsAssignmentEditable" Int E2007
    IsComplete "task:IsComplete" Computed E2007
    TaskIsRecurring "task:IsRecurring" Computed E2007
    IsTeamTask "task:IsTeamTask" Bool E2007
    TaskMileage "task:Mileage" Text E2007
    Owner "task:Owner" Text E2007
    PercentComplete "task:PercentComplete" Double E2007
    TaskRecurrence "task:Recurrence" Recurrence E2007
    StartDate "task:StartDate" Time E2007
    Status "task:Status" Text E2007
    StatusDescription "task:StatusDescription" Text E2007
    TotalWork "task:TotalWork" Int E2007
}

impl Field {
    fn row(self) -> &'static (Field, &'static str, Form, Version) {
        &ROWS[self as usize]
    }

    /// The field URI, such as `item:Subject`.
    pub fn uri(self) -> &'static str {
        self.row().1
    }

    /// The element's local name, such as `Subject`.
    pub fn element(self) -> &'static str {
        self.uri().rsplit(':').next().unwrap_or_default()
    }

    /// How its element is written.
    pub fn form(self) -> Form {
        self.row().2
    }

    /// The first schema that knows the property.
    pub fn since(self) -> Version {
        self.row().3
    }

    /// The property of a field URI; none for one this server does not keep.
    pub fn from_uri(uri: &str) -> Option<Field> {
        ROWS.iter().find(|row| row.1 == uri).map(|row| row.0)
    }

    /// Whether only the server writes it: such a property in a request is refused.
    pub fn is_read_only(self) -> bool {
        matches!(
            self,
            Field::ItemId
                | Field::ParentFolderId
                | Field::Size
                | Field::HasAttachments
                | Field::DisplayTo
                | Field::DisplayCc
                | Field::DateTimeCreated
                | Field::DateTimeSent
                | Field::DateTimeReceived
                | Field::IsSubmitted
                | Field::IsDraft
                | Field::IsFromMe
                | Field::IsResend
                | Field::IsUnmodified
                | Field::ResponseObjects
                | Field::InternetMessageHeaders
                | Field::EffectiveRights
                | Field::LastModifiedName
                | Field::LastModifiedTime
                | Field::ConversationId
                | Field::UniqueBody
                | Field::NormalizedBody
                | Field::Preview
                | Field::TextBody
                | Field::InstanceKey
                | Field::StoreEntryId
                | Field::IsMeeting
                | Field::IsCancelled
                | Field::IsRecurring
                | Field::MeetingRequestWasSent
                | Field::CalendarItemType
                | Field::MyResponseType
                | Field::IsOrganizer
                | Field::Organizer
                | Field::Duration
                | Field::TimeZone
                | Field::AppointmentReplyTime
                | Field::AppointmentSequenceNumber
                | Field::AppointmentState
                | Field::FirstOccurrence
                | Field::LastOccurrence
                | Field::ModifiedOccurrences
                | Field::DeletedOccurrences
                | Field::OriginalStart
                | Field::StartWallClock
                | Field::EndWallClock
                | Field::StartTimeZoneId
                | Field::EndTimeZoneId
                | Field::CompleteName
                | Field::ContactSource
                | Field::HasPicture
                | Field::IsComplete
                | Field::TaskIsRecurring
                | Field::AssignedTime
                | Field::ChangeCount
                | Field::DelegationState
                | Field::Delegator
                | Field::IsAssignmentEditable
                | Field::IsTeamTask
        )
    }
}
