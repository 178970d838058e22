//! Reads the layers, checks each, and puts them together with the config crate.

use super::check::{self, Places};
use super::error::ConfigError;
use super::settings::Settings;
use config::{Config, File, FileFormat};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use toml_edit::Value;

/// Where the file is when nobody says otherwise.
const DEFAULT_FILE: &str = "/etc/holdfast/holdfast.toml";

/// Where settings come from.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// The file that was asked for by name; it must exist. None: the usual one, which need not.
    pub file: Option<PathBuf>,
    /// The environment's variables; those that begin with `HOLDFAST__` are settings.
    pub environment: Vec<(String, String)>,
}

impl LoadOptions {
    /// From the process: the command line's `--config`, else `HOLDFAST_CONFIG`, and the environment.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the environment"
    )]
    pub fn from_process(file: Option<PathBuf>) -> Self {
        let file = file.or_else(|| std::env::var_os("HOLDFAST_CONFIG").map(PathBuf::from));
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| name.starts_with("HOLDFAST__"))
            .collect();
        Self { file, environment }
    }
}

/// Reads all layers.
///
/// # Errors
/// [`ConfigError`]; slips of all layers are told together.
pub fn load(options: &LoadOptions) -> Result<Settings, ConfigError> {
    let (mut places, mut slips) = (Places::new(), Vec::new());
    let mut layers = Config::builder();
    for path in files(options)? {
        let text = read(&path)?;
        check::file(&path, &text, &mut places, &mut slips);
        layers = layers.add_source(File::from_str(&text, FileFormat::Toml));
    }
    let mut variables: Vec<_> = options.environment.iter().collect();
    variables.sort();
    for (name, raw) in variables {
        if let Some((path, value)) = check::variable(name, raw, &mut places, &mut slips) {
            layers = layers.set_override(path, plain(&value))?;
        }
    }
    let together = layers.build_cloned().ok();
    let kind_of = |section: &str| together.as_ref()?.get_string(&format!("{section}.kind")).ok();
    check::whole(&places, &kind_of, &mut slips);
    if slips.is_empty() {
        Ok(layers.build()?.try_deserialize()?)
    } else {
        Err(ConfigError::Slips(slips))
    }
}

/// The main file, if there is one, and what lies beside it in conf.d.
fn files(options: &LoadOptions) -> Result<Vec<PathBuf>, ConfigError> {
    let main = options.file.clone().unwrap_or_else(|| DEFAULT_FILE.into());
    let mut files = Vec::new();
    if main.exists() {
        files.push(main.clone());
    } else if options.file.is_some() {
        return Err(ConfigError::NoFile { path: main });
    }
    let folder = main.with_file_name("conf.d");
    match fs::read_dir(&folder) {
        Ok(entries) => {
            let paths = entries.flatten().map(|entry| entry.path());
            let mut more: Vec<_> = paths
                .filter(|path| path.extension().is_some_and(|ext| ext == "toml"))
                .collect();
            more.sort();
            files.extend(more);
            Ok(files)
        }
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(files),
        Err(source) => Err(ConfigError::Unreadable { path: folder, source }),
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
        path: path.to_owned(),
        source,
    })
}

/// A checked value of the environment, as the config crate takes it.
fn plain(value: &Value) -> config::Value {
    match value {
        Value::Integer(number) => (*number.value()).into(),
        Value::Boolean(flag) => (*flag.value()).into(),
        Value::Array(list) => {
            let texts: Vec<String> = list
                .iter()
                .filter_map(|one| one.as_str().map(str::to_owned))
                .collect();
            texts.into()
        }
        other => other.as_str().unwrap_or_default().into(),
    }
}
