//! The deployed schema: types, who may read which field, and which mutations feed which subscription.

use std::{collections::HashMap, fs, path::Path};

use anyhow::{Context as _, bail, ensure};
use apollo_compiler::{
    Node, Schema,
    ast::{Directive, DirectiveList, OperationType},
    schema::{ExtendedType, FieldDefinition},
    validation::Valid,
};

use super::{auth::Mode, engine};

/// The schema and its resolvers, checked.
pub(crate) struct ApiSchema {
    pub(crate) schema: Valid<Schema>,
    /// The source of each root field's resolver.
    resolvers: HashMap<String, String>,
    /// Subscription field -> the mutations of its `@aws_subscribe`.
    subscriptions: HashMap<String, Vec<String>>,
}

impl ApiSchema {
    /// Refuses what AppSync would refuse, and what is not supported here.
    pub(crate) fn load(schema: &Path, resolvers: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(schema).with_context(|| format!("cannot read {}", schema.display()))?;
        let schema = Schema::builder()
            .parse(include_str!("prelude.graphql"), "prelude.graphql")
            .parse(text, schema)
            .build()
            .and_then(Schema::validate)
            .map_err(|invalid| anyhow::anyhow!("the schema is invalid:\n{}", invalid.errors))?;
        check_directives(&schema)?;
        let mut loaded = Self { schema, resolvers: HashMap::new(), subscriptions: HashMap::new() };
        for kind in [OperationType::Query, OperationType::Mutation, OperationType::Subscription] {
            for field in root_fields(&loaded.schema, kind) {
                let name = field.name.to_string();
                loaded.resolvers.insert(name, resolver(resolvers, &field.name)?);
            }
        }
        loaded.subscriptions = subscriptions(&loaded.schema)?;
        Ok(loaded)
    }

    pub(crate) fn resolver(&self, field: &str) -> Option<&str> {
        self.resolvers.get(field).map(String::as_str)
    }

    /// Whether subscribers hear of this mutation.
    pub(crate) fn is_published(&self, mutation: &str) -> bool {
        self.subscriptions.values().flatten().any(|name| name == mutation)
    }

    pub(crate) fn feeds(&self, mutation: &str, subscription: &str) -> bool {
        self.subscriptions.get(subscription).is_some_and(|names| names.iter().any(|name| name == mutation))
    }

    /// The directives of the field decide, else those of its type, else the API's default mode
    /// ("Using additional authorization modes").
    pub(crate) fn allows(&self, parent_type: &str, field: &str, mode: Mode) -> bool {
        let on_type = match self.schema.types.get(parent_type) {
            Some(ExtendedType::Object(object)) => {
                modes(object.directives.iter().map(|component| &component.node))
            }
            Some(
                ExtendedType::Scalar(_)
                | ExtendedType::Interface(_)
                | ExtendedType::Union(_)
                | ExtendedType::Enum(_)
                | ExtendedType::InputObject(_),
            )
            | None => Vec::new(),
        };
        let on_field = self
            .schema
            .type_field(parent_type, field)
            .map_or_else(|_| Vec::new(), |definition| modes(definition.directives.iter()));
        [on_field, on_type, vec![Mode::Cognito]]
            .into_iter()
            .find(|modes| !modes.is_empty())
            .is_some_and(|modes| modes.contains(&mode))
    }
}

fn modes<'d>(directives: impl Iterator<Item = &'d Node<Directive>>) -> Vec<Mode> {
    directives
        .filter_map(|directive| match directive.name.as_str() {
            "aws_cognito_user_pools" => Some(Mode::Cognito),
            "aws_iam" => Some(Mode::Iam),
            _ => None,
        })
        .collect()
}

fn root_fields(schema: &Schema, kind: OperationType) -> impl Iterator<Item = &FieldDefinition> {
    let object = schema.root_operation(kind).and_then(|name| schema.get_object(name));
    object.into_iter().flat_map(|object| object.fields.values().map(|field| &***field))
}

fn resolver(folder: &Path, field: &str) -> anyhow::Result<String> {
    let path = folder.join(format!("{field}.js"));
    let source =
        fs::read_to_string(&path).with_context(|| format!("{field} has no resolver {}", path.display()))?;
    engine::check(&source).map_err(|why| anyhow::anyhow!("{}: {why}", path.display()))?;
    Ok(source)
}

/// Modes that the API is not configured with, and groups, which the suite does not use.
fn check_directives(schema: &Schema) -> anyhow::Result<()> {
    let check = |place: &str, directive: &Directive| {
        match directive.name.as_str() {
            name @ ("aws_api_key" | "aws_oidc" | "aws_lambda" | "aws_auth") => {
                bail!("{place}: the API has no authorization mode for @{name}")
            }
            "aws_cognito_user_pools" => ensure!(
                directive.specified_argument_by_name("cognito_groups").is_none(),
                "{place}: cognito_groups is not supported here"
            ),
            _ => {}
        }
        Ok(())
    };
    for object in schema.types.values().filter_map(ExtendedType::as_object) {
        object.directives.iter().try_for_each(|directive| check(&object.name, directive))?;
        for field in object.fields.values() {
            field.directives.iter().try_for_each(|d| check(&format!("{}.{}", object.name, field.name), d))?;
        }
    }
    Ok(())
}

fn subscriptions(schema: &Schema) -> anyhow::Result<HashMap<String, Vec<String>>> {
    let mut found = HashMap::new();
    for field in root_fields(schema, OperationType::Subscription) {
        let mutations = subscribed(&field.directives)
            .with_context(|| format!("{} has no @aws_subscribe with mutations", field.name))?;
        for mutation in &mutations {
            let source =
                root_fields(schema, OperationType::Mutation).find(|field| field.name == mutation.as_str());
            let source =
                source.with_context(|| format!("{}: there is no mutation {mutation}", field.name))?;
            ensure!(
                source.ty.inner_named_type() == field.ty.inner_named_type(),
                "{} and {mutation} must return the same type",
                field.name
            );
            let published = schema.get_object(source.ty.inner_named_type());
            ensure!(
                published.is_some_and(|object| object.fields.values().all(|field| is_leaf(schema, field))),
                "{mutation}: only flat types can be published here"
            );
        }
        found.insert(field.name.to_string(), mutations);
    }
    Ok(found)
}

fn subscribed(directives: &DirectiveList) -> Option<Vec<String>> {
    let mutations = directives.get("aws_subscribe")?.specified_argument_by_name("mutations")?;
    mutations.as_list()?.iter().map(|name| name.as_str().map(str::to_owned)).collect()
}

fn is_leaf(schema: &Schema, field: &FieldDefinition) -> bool {
    let named = schema.types.get(field.ty.inner_named_type());
    !field.ty.is_list() && named.is_some_and(|named| named.is_scalar() || named.is_enum())
}
