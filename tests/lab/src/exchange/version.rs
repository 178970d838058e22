//! Schema versions: what a client may ask for in RequestServerVersion and what each build answers
//! in ServerVersionInfo.
//!
//! Source: "RequestServerVersion" and "ServerVersionInfo" in the EWS reference, and
//! "Exchange Server build numbers and release dates".

/// A generation of the schema; later ones know more properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// Exchange 2007 and its service pack 1.
    E2007,
    /// Exchange 2010.
    E2010,
    /// Exchange 2010 SP1.
    E2010Sp1,
    /// Exchange 2010 SP2.
    E2010Sp2,
    /// Exchange 2013.
    E2013,
    /// Exchange 2013 SP1.
    E2013Sp1,
    /// Exchange 2015 and 2016; 2019 and Subscription Edition use it too.
    E2016,
}

impl Version {
    /// The schema generation of a RequestServerVersion value; none if the schema has no such value.
    pub fn parse(text: &str) -> Option<Version> {
        Some(match text {
            "Exchange2007" | "Exchange2007_SP1" => Version::E2007,
            "Exchange2009" | "Exchange2010" => Version::E2010,
            "Exchange2010_SP1" => Version::E2010Sp1,
            "Exchange2010_SP2" => Version::E2010Sp2,
            "Exchange2012" | "Exchange2013" => Version::E2013,
            "Exchange2013_SP1" => Version::E2013Sp1,
            "Exchange2015" | "Exchange2016" => Version::E2016,
            other
                if other.starts_with("V2015_")
                    || other.starts_with("V2016_")
                    || other.starts_with("V2017_") =>
            {
                Version::E2016
            }
            _ => return None,
        })
    }
}

/// The server build this lab pretends to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Build {
    /// Exchange Server 2010 SP2, 14.2.247.5.
    E2010Sp2,
    /// Exchange Server 2013 CU23, 15.0.1497.2.
    E2013Sp1,
    /// Exchange Server Subscription Edition RTM, 15.2.2562.17.
    #[default]
    Se,
}

impl Build {
    /// Major, minor, build and revision.
    pub fn numbers(self) -> [u16; 4] {
        match self {
            Build::E2010Sp2 => [14, 2, 247, 5],
            Build::E2013Sp1 => [15, 0, 1497, 2],
            Build::Se => [15, 2, 2562, 17],
        }
    }

    /// The newest schema the build accepts.
    pub fn newest(self) -> Version {
        match self {
            Build::E2010Sp2 => Version::E2010Sp2,
            Build::E2013Sp1 => Version::E2013Sp1,
            Build::Se => Version::E2016,
        }
    }

    /// The `Version` attribute of ServerVersionInfo, which is not one of the request values on
    /// newer builds.
    pub fn schema_name(self) -> &'static str {
        match self {
            Build::E2010Sp2 => "Exchange2010_SP2",
            Build::E2013Sp1 => "Exchange2013_SP1",
            Build::Se => "V2017_07_11",
        }
    }
}
