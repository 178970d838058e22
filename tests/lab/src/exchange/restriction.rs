//! Restrictions: the search expressions of FindItem and FindFolder.
//!
//! Source: "Restriction", "Contains" and "Excludes" in the EWS reference; the limit of nodes from
//! "EWS throttling in Exchange".

use super::context::Found;
use super::field::Field;
use super::read::path::{self, Path};
use super::refusal::Refusal;
use super::search::{self, Comparable};
use super::version::Version;
use super::xml::read::Element;
use std::cmp::Ordering;

/// A search expression.
#[derive(Clone, Debug)]
pub enum Restriction {
    /// All of them.
    And(Vec<Restriction>),
    /// One of them.
    Or(Vec<Restriction>),
    /// Not this.
    Not(Box<Restriction>),
    /// The property is there.
    Exists(Path),
    /// The property stands in one of these relations to the operand.
    Compare(Path, &'static [Ordering], Operand),
    /// The property does not equal the operand.
    Differs(Path, Operand),
    /// The text contains the constant.
    Contains(Path, Mode, bool, String),
    /// None of the bits of the number is set.
    Excludes(Path, i64),
}

/// What a property is compared with.
#[derive(Clone, Debug)]
pub enum Operand {
    /// A constant.
    Constant(String),
    /// Another property.
    Property(Path),
}

/// ContainmentMode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the schema's value")]
pub enum Mode {
    FullString,
    Prefixed,
    Substring,
    PrefixOnWords,
    ExactPhrase,
}

const MOST_NODES: usize = 255;

/// The expression of a Restriction element.
///
/// # Errors
/// It breaks the schema, is too complex, or searches what cannot be searched.
pub fn read(element: &Element, version: Version) -> Result<Restriction, Refusal> {
    let mut nodes = 0;
    let expression = element
        .children
        .first()
        .ok_or_else(|| Refusal::missing("SearchExpression"))?;
    node(expression, version, &mut nodes)
}

fn node(element: &Element, version: Version, nodes: &mut usize) -> Result<Restriction, Refusal> {
    *nodes += 1;
    if *nodes > MOST_NODES {
        return Err(Refusal::new(
            "ErrorRestrictionTooComplex",
            "The restriction is too complex.",
        ));
    }
    let list = |nodes: &mut usize| {
        element
            .children
            .iter()
            .map(|child| node(child, version, nodes))
            .collect::<Result<Vec<_>, _>>()
    };
    let path = || searchable(path::child_path(element, version)?);
    let compare = |orderings| {
        Ok(Restriction::Compare(
            path()?,
            orderings,
            operand(element, version)?,
        ))
    };
    match element.name.as_str() {
        "And" => Ok(Restriction::And(list(nodes)?)),
        "Or" => Ok(Restriction::Or(list(nodes)?)),
        "Not" => {
            let inner = element
                .children
                .first()
                .ok_or_else(|| Refusal::missing("SearchExpression"))?;
            Ok(Restriction::Not(Box::new(node(inner, version, nodes)?)))
        }
        "Exists" => Ok(Restriction::Exists(path()?)),
        "IsEqualTo" => compare(&[Ordering::Equal]),
        "IsNotEqualTo" => Ok(Restriction::Differs(path()?, operand(element, version)?)),
        "IsGreaterThan" => compare(&[Ordering::Greater]),
        "IsGreaterThanOrEqualTo" => compare(&[Ordering::Greater, Ordering::Equal]),
        "IsLessThan" => compare(&[Ordering::Less]),
        "IsLessThanOrEqualTo" => compare(&[Ordering::Less, Ordering::Equal]),
        "Contains" => contains(element, path()?),
        "Excludes" => {
            let mask = element
                .t("Bitmask")
                .and_then(|mask| mask.attribute("Value"))
                .unwrap_or_default();
            let number = match mask.strip_prefix("0x") {
                Some(digits) => i64::from_str_radix(digits, 16),
                None => mask.parse(),
            };
            Ok(Restriction::Excludes(
                path()?,
                number.map_err(|_| Refusal::invalid_value("Value", mask))?,
            ))
        }
        other => Err(Refusal::schema(format!(
            "Invalid child element '{other}' of Restriction."
        ))),
    }
}

/// Some properties are made on reading and cannot be searched, the UID among them.
fn searchable(path: Path) -> Result<Path, Refusal> {
    let unsupported = matches!(
        path,
        Path::Field(
            Field::Uid
                | Field::ItemId
                | Field::ParentFolderId
                | Field::MimeContent
                | Field::Attachments
                | Field::EffectiveRights
                | Field::ResponseObjects
                | Field::Recurrence
                | Field::UniqueBody
                | Field::CompleteName
                | Field::RequiredAttendees
                | Field::OptionalAttendees
        )
    );
    if unsupported {
        return Err(Refusal::new(
            "ErrorUnsupportedPathForQuery",
            "The property can not be used with this type of restriction.",
        ));
    }
    Ok(path)
}

fn operand(element: &Element, version: Version) -> Result<Operand, Refusal> {
    let operand = element
        .t("FieldURIOrConstant")
        .ok_or_else(|| Refusal::missing("FieldURIOrConstant"))?;
    match operand.t("Constant") {
        Some(constant) => {
            let value = constant
                .attribute("Value")
                .ok_or_else(|| Refusal::missing_attribute("Value"))?;
            Ok(Operand::Constant(value.to_owned()))
        }
        None => Ok(Operand::Property(path::child_path(operand, version)?)),
    }
}

fn contains(element: &Element, path: Path) -> Result<Restriction, Refusal> {
    let constant = element
        .t("Constant")
        .and_then(|constant| constant.attribute("Value"));
    let constant = constant.ok_or_else(|| Refusal::missing("Constant"))?;
    let mode = match element.attribute("ContainmentMode") {
        None | Some("FullString") => Mode::FullString,
        Some("Prefixed") => Mode::Prefixed,
        Some("Substring") => Mode::Substring,
        Some("PrefixOnWords") => Mode::PrefixOnWords,
        Some("ExactPhrase") => Mode::ExactPhrase,
        Some(other) => return Err(Refusal::invalid_value("ContainmentMode", other)),
    };
    let exact = matches!(
        element.attribute("ContainmentComparison"),
        None | Some("Exact" | "IgnoreNonSpacingCharacters")
    );
    Ok(Restriction::Contains(path, mode, exact, constant.to_owned()))
}

impl Restriction {
    /// Whether an item is one of those looked for.
    pub fn matches(&self, found: &Found) -> bool {
        self.decide(&|path| search::values(found, path))
    }

    /// The same for anything that has values under paths.
    pub fn decide(&self, values: &dyn Fn(&Path) -> Vec<Comparable>) -> bool {
        match self {
            Restriction::And(all) => all.iter().all(|one| one.decide(values)),
            Restriction::Or(any) => any.iter().any(|one| one.decide(values)),
            Restriction::Not(inner) => !inner.decide(values),
            Restriction::Exists(path) => !values(path).is_empty(),
            Restriction::Compare(path, orderings, operand) => values(path).iter().any(|value| {
                compare(value, operand, values).is_some_and(|ordering| orderings.contains(&ordering))
            }),
            Restriction::Differs(path, operand) => !values(path)
                .iter()
                .any(|value| compare(value, operand, values) == Some(Ordering::Equal)),
            Restriction::Contains(path, mode, exact, constant) => {
                values(path).iter().any(|value| match value {
                    Comparable::Text(text) => text_contains(text, constant, *mode, *exact),
                    _ => false,
                })
            }
            Restriction::Excludes(path, mask) => values(path).iter().any(|value| match value {
                Comparable::Number(number) => (*number as i64) & mask == 0,
                _ => false,
            }),
        }
    }
}

fn compare(
    value: &Comparable,
    operand: &Operand,
    values: &dyn Fn(&Path) -> Vec<Comparable>,
) -> Option<Ordering> {
    match operand {
        Operand::Constant(constant) => value.compare(&value.like(constant)?),
        Operand::Property(path) => value.compare(values(path).first()?),
    }
}

fn text_contains(text: &str, constant: &str, mode: Mode, exact: bool) -> bool {
    let fold = |text: &str| {
        if exact {
            text.to_owned()
        } else {
            text.to_lowercase()
        }
    };
    let (text, constant) = (fold(text), fold(constant));
    match mode {
        Mode::FullString => text == constant,
        Mode::Prefixed => text.starts_with(&constant),
        Mode::Substring | Mode::ExactPhrase => text.contains(&constant),
        Mode::PrefixOnWords => text
            .split(|c: char| !c.is_alphanumeric())
            .any(|word| word.starts_with(&constant)),
    }
}
