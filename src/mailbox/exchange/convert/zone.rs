//! Time zones: Exchange names them as Windows does, we as IANA does. CLDR's windowsZones table translates.

use chrono_tz::Tz;

/// Names that the IANA database changed after CLDR had settled on the old one.
const RENAMED: &[(&str, &str)] = &[
    ("America/Argentina/Buenos_Aires", "America/Buenos_Aires"),
    ("America/Atikokan", "America/Coral_Harbour"),
    ("America/Indiana/Indianapolis", "America/Indianapolis"),
    ("America/Kentucky/Louisville", "America/Louisville"),
    ("America/Nuuk", "America/Godthab"),
    ("Asia/Ho_Chi_Minh", "Asia/Saigon"),
    ("Asia/Kathmandu", "Asia/Katmandu"),
    ("Asia/Kolkata", "Asia/Calcutta"),
    ("Asia/Yangon", "Asia/Rangoon"),
    ("Atlantic/Faroe", "Atlantic/Faeroe"),
    ("Europe/Kyiv", "Europe/Kiev"),
];

/// The IANA zone of a Windows name; none for zones of a client's own making, such as
/// `tzone://Microsoft/Custom`.
pub fn from_windows(id: &str) -> Option<Tz> {
    if matches!(id, "UTC" | "tzone://Microsoft/Utc") {
        return Some(Tz::UTC);
    }
    localzone::win_zone_to_iana(id, Some("001"))?.parse().ok()
}

/// The Windows name of an IANA zone; none for the few that Windows does not know.
pub fn to_windows(zone: Tz) -> Option<&'static str> {
    let name = zone.name();
    if matches!(
        name,
        "UTC" | "Etc/UTC" | "Etc/UCT" | "Etc/Zulu" | "UCT" | "Zulu" | "GMT" | "Etc/GMT"
    ) {
        return Some("UTC");
    }
    let name = RENAMED
        .iter()
        .find(|(new, _)| *new == name)
        .map_or(name, |(_, old)| old);
    localzone::iana_to_win_zone(name).map(|(windows, _)| windows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_that_people_live_in_have_a_windows_name_that_leads_back_to_the_same_rules() {
        for zone in [
            Tz::UTC,
            Tz::Europe__Berlin,
            Tz::America__New_York,
            Tz::Asia__Kolkata,
            Tz::Asia__Tokyo,
            Tz::Europe__Kyiv,
        ] {
            let windows = to_windows(zone).expect("a Windows name");
            assert!(from_windows(windows).is_some(), "{windows}");
        }
        assert_eq!(to_windows(Tz::Europe__Vienna), Some("W. Europe Standard Time"));
        assert_eq!(from_windows("W. Europe Standard Time"), Some(Tz::Europe__Berlin));
    }

    #[test]
    fn a_zone_of_a_clients_own_making_is_no_zone() {
        assert_eq!(from_windows("tzone://Microsoft/Custom"), None);
        assert_eq!(from_windows("Customized Time Zone"), None);
    }
}
