//! Schema versions, and which of them a server understands.
//!
//! Source: "RequestServerVersion" and "ServerVersionInfo" in the EWS reference; "Exchange Server build numbers
//! and release dates" for what a build is.

/// What `RequestServerVersion` may ask for, oldest first. Exchange 2019 and the Subscription Edition have no
/// value of their own: they speak `Exchange2016`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// The oldest that we speak: older ones know no StartTimeZone.
    Exchange2010Sp1,
    /// Build 14.2 and 14.3.
    Exchange2010Sp2,
    /// Build 15.0 before 847.
    Exchange2013,
    /// Build 15.0 from 847 on.
    Exchange2013Sp1,
    /// Build 15.1 and newer.
    Exchange2016,
}

impl Version {
    /// The newest that we speak.
    pub const NEWEST: Self = Self::Exchange2016;

    /// The value of the attribute.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exchange2010Sp1 => "Exchange2010_SP1",
            Self::Exchange2010Sp2 => "Exchange2010_SP2",
            Self::Exchange2013 => "Exchange2013",
            Self::Exchange2013Sp1 => "Exchange2013_SP1",
            Self::Exchange2016 => "Exchange2016",
        }
    }

    /// The next older one.
    pub fn older(self) -> Option<Self> {
        match self {
            Self::Exchange2016 => Some(Self::Exchange2013Sp1),
            Self::Exchange2013Sp1 => Some(Self::Exchange2013),
            Self::Exchange2013 => Some(Self::Exchange2010Sp2),
            Self::Exchange2010Sp2 => Some(Self::Exchange2010Sp1),
            Self::Exchange2010Sp1 => None,
        }
    }
}

/// A server's build, out of `ServerVersionInfo`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Build {
    /// 14 for Exchange 2010, 15 since.
    pub major: u32,
    /// 0 for 2013, 1 for 2016, 2 for 2019 and the Subscription Edition.
    pub minor: u32,
    /// Build.
    pub build: u32,
    /// Revision.
    pub revision: u32,
}

impl Build {
    /// The newest version that this build understands.
    pub fn speaks(self) -> Version {
        match (self.major, self.minor, self.build) {
            (..14, ..) | (14, 0 | 1, _) => Version::Exchange2010Sp1,
            (14, ..) => Version::Exchange2010Sp2,
            (15, 0, ..847) => Version::Exchange2013,
            (15, 0, _) => Version::Exchange2013Sp1,
            _ => Version::Exchange2016,
        }
    }

    /// For people.
    pub fn words(self) -> String {
        let product = match (self.major, self.minor, self.build) {
            (14, ..) => "Exchange Server 2010",
            (15, 0, _) => "Exchange Server 2013",
            (15, 1, _) => "Exchange Server 2016",
            (15, 2, ..2562) => "Exchange Server 2019",
            (15, 2, _) => "Exchange Server Subscription Edition",
            _ => "Exchange",
        };
        format!(
            "{product} ({}.{}.{}.{})",
            self.major, self.minor, self.build, self.revision
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_speaks_the_newest_schema_of_its_product() {
        let build = |major, minor, build| {
            Build {
                major,
                minor,
                build,
                revision: 0,
            }
            .speaks()
        };
        assert_eq!(build(14, 1, 218), Version::Exchange2010Sp1);
        assert_eq!(build(14, 3, 123), Version::Exchange2010Sp2);
        assert_eq!(build(15, 0, 516), Version::Exchange2013);
        assert_eq!(build(15, 0, 1497), Version::Exchange2013Sp1);
        assert_eq!(build(15, 2, 2562), Version::Exchange2016);
    }
}
