//! The gate: which addresses a call out of this process may go to.
//!
//! A URL often comes from whoever wrote the workflow, or from the input of a job. Without a gate
//! it could reach what only this machine can reach: the cloud's metadata service, which hands out
//! credentials, and servers behind the firewall that trust their neighbours.
//!
//! The gate judges resolved addresses, and the address that it allowed is the one that is dialled
//! (see `http::resolve`): a name that resolves to something else a moment later gains nothing.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use jobmill_model::Fault;

/// Which addresses a call may go to besides public ones; by default none.
///
/// Metadata services and link-local addresses are denied whatever this says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gate {
    /// Whether private and reserved ranges are allowed.
    pub private: bool,
    /// Whether this machine's own addresses are allowed: those of the loopback interface, and
    /// `0.0.0.0` and `::`, which lead there too.
    pub loopback: bool,
}

impl Gate {
    /// The name of the setting that allows private ranges, as refusals give it.
    pub const PRIVATE_SETTING: &str = "calls_to_private";
    /// The name of the setting that allows loopback addresses, as refusals give it.
    pub const LOOPBACK_SETTING: &str = "calls_to_loopback";

    /// Judges the host of a URL as far as that is possible without resolving it.
    pub(crate) fn check_host(self, host: &str) -> Result<(), Refusal> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse() {
            return self.check(host, address);
        }
        let name = host.trim_end_matches('.').to_ascii_lowercase();
        match METADATA_NAMES.contains(&&*name) {
            true => Err(Refusal { host: host.to_owned(), address: None, reach: Reach::Never }),
            false => Ok(()),
        }
    }

    /// Judges an address that a host has.
    pub(crate) fn check(self, host: &str, address: IpAddr) -> Result<(), Refusal> {
        let reach = reach(address);
        let is_allowed = match reach {
            Reach::Public => true,
            Reach::Loopback => self.loopback,
            Reach::Private => self.private,
            Reach::Never => false,
        };
        match is_allowed {
            true => Ok(()),
            false => Err(Refusal { host: host.to_owned(), address: Some(address), reach }),
        }
    }
}

/// The call would go where the gate does not let it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    host: String,
    address: Option<IpAddr>,
    reach: Reach,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call {}", self.host)?;
        if let Some(address) = self.address
            && self.host.trim_matches(['[', ']']) != address.to_string()
        {
            write!(f, " at {address}")?;
        }
        let allow = |f: &mut fmt::Formatter<'_>, setting| {
            write!(f, "the setting `{setting}` allows calls to such addresses")
        };
        match self.reach {
            Reach::Loopback => {
                f.write_str(", which is this machine itself; ")?;
                allow(f, Gate::LOOPBACK_SETTING)
            }
            Reach::Private => {
                f.write_str(", which is in a private or reserved range; ")?;
                allow(f, Gate::PRIVATE_SETTING)
            }
            Reach::Never | Reach::Public => {
                f.write_str(", which is a metadata service or link-local; no setting allows that")
            }
        }
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::last("ForbiddenAddress", refusal.to_string())
    }
}

/// What can be reached at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Public,
    /// This machine.
    Loopback,
    /// Only machines nearby, or nothing sensible.
    Private,
    /// Metadata services, and the link that they live on.
    Never,
}

/// Names of Google's metadata server. Others are known by their addresses alone.
const METADATA_NAMES: [&str; 2] = ["metadata.google.internal", "metadata.goog"];

struct Range {
    network: IpAddr,
    prefix: u32,
    reach: Reach,
}

impl Range {
    const fn v4(network: [u8; 4], prefix: u32, reach: Reach) -> Self {
        let [a, b, c, d] = network;
        Self { network: IpAddr::V4(Ipv4Addr::new(a, b, c, d)), prefix, reach }
    }

    const fn v6(start: [u16; 3], end: u16, prefix: u32, reach: Reach) -> Self {
        let [a, b, c] = start;
        Self { network: IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, end)), prefix, reach }
    }

    fn covers(&self, address: IpAddr) -> bool {
        let differ = left_aligned(self.network) ^ left_aligned(address);
        let same_prefix = differ.leading_zeros() >= self.prefix;
        self.network.is_ipv4() == address.is_ipv4() && same_prefix
    }
}

/// From IANA's registries of special addresses and the documentation of the clouds; the first
/// range that covers an address decides.
const RANGES: [Range; 29] = [
    Range::v4([169, 254, 0, 0], 16, Reach::Never),
    // The metadata services of Alibaba, Azure and Oracle.
    Range::v4([100, 100, 100, 200], 32, Reach::Never),
    Range::v4([168, 63, 129, 16], 32, Reach::Never),
    Range::v4([192, 0, 0, 192], 32, Reach::Never),
    Range::v4([0, 0, 0, 0], 8, Reach::Loopback),
    Range::v4([127, 0, 0, 0], 8, Reach::Loopback),
    Range::v4([10, 0, 0, 0], 8, Reach::Private),
    Range::v4([100, 64, 0, 0], 10, Reach::Private),
    Range::v4([172, 16, 0, 0], 12, Reach::Private),
    Range::v4([192, 0, 0, 0], 24, Reach::Private),
    Range::v4([192, 0, 2, 0], 24, Reach::Private),
    Range::v4([192, 88, 99, 0], 24, Reach::Private),
    Range::v4([192, 168, 0, 0], 16, Reach::Private),
    Range::v4([198, 18, 0, 0], 15, Reach::Private),
    Range::v4([198, 51, 100, 0], 24, Reach::Private),
    Range::v4([203, 0, 113, 0], 24, Reach::Private),
    // Multicast, reserved, broadcast.
    Range::v4([224, 0, 0, 0], 3, Reach::Private),
    Range::v4([0, 0, 0, 0], 0, Reach::Public),
    Range::v6([0, 0, 0], 0, 128, Reach::Loopback),
    Range::v6([0, 0, 0], 1, 128, Reach::Loopback),
    Range::v6([0xfe80, 0, 0], 0, 10, Reach::Never),
    // The metadata services of Amazon, Google and Scaleway.
    Range::v6([0xfd00, 0x0ec2, 0], 0, 32, Reach::Never),
    Range::v6([0xfd20, 0x00ce, 0], 0x0254, 128, Reach::Never),
    Range::v6([0xfd00, 0x0042, 0], 0x0042, 128, Reach::Never),
    // Protocol assignments, such as Teredo.
    Range::v6([0x2001, 0, 0], 0, 23, Reach::Private),
    Range::v6([0x2001, 0x0db8, 0], 0, 32, Reach::Private),
    Range::v6([0x3fff, 0, 0], 0, 20, Reach::Private),
    Range::v6([0x2000, 0, 0], 0, 3, Reach::Public),
    // Unique local addresses, multicast, and all that nobody has been given yet.
    Range::v6([0, 0, 0], 0, 0, Reach::Private),
];

fn reach(address: IpAddr) -> Reach {
    let address = embedded(address).map_or(address, IpAddr::V4);
    let range = RANGES.iter().find(|range| range.covers(address));
    range.expect("the last range of each family covers all of it").reach
}

/// The IPv4 address that an IPv6 address stands for: mapped, compatible, translated (NAT64 and
/// SIIT) or 6to4.
fn embedded(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else { return None };
    let ipv4 = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => Some(ipv4(high, low)),
        _ => None,
    }
}

fn left_aligned(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every form of address, and where it leads.
    const TABLE: &[(Reach, &[&str])] = &[
        (
            Reach::Public,
            &[
                "1.1.1.1",
                "8.8.8.8",
                "9.255.255.255",
                "11.0.0.0",
                "100.63.255.255",
                "100.128.0.0",
                "126.255.255.255",
                "128.0.0.1",
                "168.63.129.15",
                "169.253.255.255",
                "169.255.0.0",
                "172.15.255.255",
                "172.32.0.0",
                "192.167.255.255",
                "192.169.0.0",
                "223.255.255.255",
                "2001:200::1",
                "2606:4700:4700::1111",
                "::ffff:8.8.8.8",
                "64:ff9b::8.8.8.8",
                "2002:0808:0808::1",
            ],
        ),
        (
            Reach::Loopback,
            &[
                "127.0.0.1",
                "127.255.255.254",
                "0.0.0.0",
                "0.1.2.3",
                "::1",
                "::",
                "::ffff:127.0.0.1",
                "::ffff:0.0.0.0",
                "::127.0.0.1",
                "64:ff9b::7f00:1",
                "2002:7f00:0001::",
            ],
        ),
        (
            Reach::Private,
            &[
                "10.0.0.0",
                "10.255.255.255",
                "100.64.0.1",
                "100.127.255.255",
                "172.16.0.1",
                "172.31.255.255",
                "192.0.0.1",
                "192.0.2.1",
                "192.168.0.1",
                "198.18.0.1",
                "198.19.255.255",
                "198.51.100.1",
                "203.0.113.1",
                "224.0.0.1",
                "239.255.255.255",
                "240.0.0.1",
                "255.255.255.255",
                "::ffff:10.0.0.1",
                "::ffff:0:10.0.0.1",
                "64:ff9b::192.168.0.1",
                "64:ff9b:1::1",
                "100::1",
                "2001::1",
                "2001:db8::1",
                "2002:0a00:0001::1",
                "3fff::1",
                "4000::1",
                "fc00::1",
                "fd12:3456::1",
                "fdff:ffff::1",
                "fec0::1",
                "ff02::1",
            ],
        ),
        (
            Reach::Never,
            &[
                "169.254.0.1",
                "169.254.169.254",
                "169.254.170.2",
                "169.254.255.255",
                "100.100.100.200",
                "168.63.129.16",
                "192.0.0.192",
                "fe80::1",
                "febf::1",
                "fd00:ec2::254",
                "fd00:ec2::23",
                "fd20:ce::254",
                "fd00:42::42",
                "::ffff:169.254.169.254",
                "::169.254.169.254",
                "::ffff:0:169.254.169.254",
                "64:ff9b::a9fe:a9fe",
                "2002:a9fe:a9fe::1",
            ],
        ),
    ];

    fn rows() -> impl Iterator<Item = (Reach, &'static str, IpAddr)> {
        let parsed = |(reach, texts): &(Reach, &'static [&'static str])| {
            let reach = *reach;
            texts.iter().map(move |text| (reach, *text, text.parse().unwrap()))
        };
        TABLE.iter().flat_map(parsed)
    }

    #[test]
    fn every_address_leads_where_the_table_says() {
        for (expected, text, address) in rows() {
            assert_eq!(reach(address), expected, "{text}");
        }
    }

    #[test]
    fn a_gate_opens_only_what_it_names() {
        for (private, loopback) in [(false, false), (true, false), (false, true), (true, true)] {
            let gate = Gate { private, loopback };
            for (reach, text, address) in rows() {
                let expected = match reach {
                    Reach::Public => true,
                    Reach::Loopback => loopback,
                    Reach::Private => private,
                    Reach::Never => false,
                };
                assert_eq!(gate.check(text, address).is_ok(), expected, "{text} {gate:?}");
            }
        }
        assert_eq!(Gate::default(), Gate { private: false, loopback: false });
    }

    #[test]
    fn a_host_is_judged_before_it_is_resolved_if_it_is_an_address_or_a_metadata_name() {
        let open = Gate { private: true, loopback: true };
        for host in [
            "169.254.169.254",
            "[fd00:ec2::254]",
            "[::ffff:169.254.169.254]",
            "metadata.google.internal",
            "Metadata.Google.Internal.",
            "metadata.goog",
        ] {
            assert!(open.check_host(host).is_err(), "{host}");
        }
        assert_eq!(Gate::default().check_host("example.org"), Ok(()));
        assert_eq!(Gate::default().check_host("metadata.example.org"), Ok(()));
    }

    #[test]
    fn a_refusal_names_the_setting() {
        let text = |host: &str, address: &str| {
            let fault =
                Fault::from(Gate::default().check(host, address.parse().unwrap()).unwrap_err());
            assert_eq!(fault.code, "ForbiddenAddress");
            fault.message
        };
        let private = "which is in a private or reserved range; the setting `calls_to_private` \
                       allows calls to such addresses";
        assert_eq!(text("10.0.0.1", "10.0.0.1"), format!("call 10.0.0.1, {private}"));
        assert_eq!(text("db.test", "10.0.0.1"), format!("call db.test at 10.0.0.1, {private}"));
        assert!(text("[::1]", "::1").starts_with("call [::1], which is this machine itself; "));
        assert!(text("[::1]", "::1").contains("`calls_to_loopback`"));
        assert!(text("169.254.1.1", "169.254.1.1").ends_with("no setting allows that"));
    }
}
