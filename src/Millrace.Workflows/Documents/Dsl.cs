using System.Globalization;
using System.Text.RegularExpressions;
using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Documents;

/// <summary>
/// What a document of the language may look like (Open Workflow Specification, DSL 1.0.3, dsl-reference.md). Tasks stand in
/// <see cref="DslTasks"/>. Where the specification's schema leaves objects open by omission (the root, catch.errors, error filters,
/// authentications) unknown members are refused here: they would be ignored in silence.
/// </summary>
internal static partial class Dsl
{
    public static readonly Shape Any = new AnyShape();
    public static readonly Shape Text = new TextShape();
    public static readonly Shape Flag = new AnyShape("true or false", JsonKind.True, JsonKind.False);
    public static readonly Shape AnyObject = new AnyShape("an object", JsonKind.Object);
    public static readonly Shape Texts = new ListShape("a list of strings", Text);
    public static readonly Shape TextMap = new MapShape("an object of strings", Text);
    public static readonly Shape Whole = new WholeShape();
    public static readonly Shape Duration = new DurationShape();

    /// <summary>A field that holds one expression, with or without the enclosing <c>${ }</c>.</summary>
    public static readonly Shape Filter = new TextShape("a runtime expression", t => t.AsSpan().Trim().Length > 0);

    public static readonly Shape Enclosed = new TextShape("a runtime expression in ${ }", Graph.Expression.IsEnclosed);

    /// <summary>An expression, or an object with expressions in it.</summary>
    public static readonly Shape FilterOrObject = new EitherShape("a runtime expression or an object", Filter, AnyObject);

    public static readonly Shape Name = new TextShape("a name", t => t.Length > 0);
    public static readonly Shape Variable = new TextShape("the name of a variable: letters, digits and underscores, not one of the language's own", IsVariable);
    public static readonly Shape Uri = new TextShape("a URI, a URI template or a runtime expression", IsUri);

    private static readonly Shape Semantic = new TextShape("a semantic version such as 1.0.0", t => SemanticVersion().IsMatch(t));
    private static readonly Shape Label = new TextShape("a name of letters, digits and hyphens, at most 63", t => LabelName().IsMatch(t));

    public static readonly Shape Secret = new ObjectShape("a reference to a secret", Must("use", Name));
    private static readonly Shape UserAndPassword = SecretOr(new ObjectShape("a user name and password", Must("username", Text), Must("password", Text)));
    private static readonly Shape Token = SecretOr(new ObjectShape("a bearer token", Must("token", Text)));
    private static readonly Shape ClientCertificate = SecretOr(new ObjectShape("a certificate", Must("certificate", Text), May("key", Text), May("passphrase", Text)));
    private static readonly Shape ForeignToken = new ObjectShape("a token", Must("token", Text), Must("type", Text));

    private static readonly Field[] OAuth2Fields =
    [
        Must("authority", new TextShape("a URI or a URI template", t => IsUri(t) && !Graph.Expression.IsEnclosed(t))),
        Must("grant", new ChoiceShape("authorization_code", "client_credentials", "password", "refresh_token", "urn:ietf:params:oauth:grant-type:token-exchange")),
        May("client", new ObjectShape("a client",
            May("id", Text), May("secret", Text), May("assertion", Text),
            May("authentication", new ChoiceShape("client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none")))),
        May("request", new ObjectShape("a token request", May("encoding", new ChoiceShape("application/x-www-form-urlencoded", "application/json")))),
        May("issuers", Texts), May("scopes", Texts), May("audiences", Texts),
        May("username", Text), May("password", Text), May("subject", ForeignToken), May("actor", ForeignToken),
    ];

    private static readonly Shape Endpoints = new ObjectShape("the endpoints of an authority", May("token", Uri), May("revocation", Uri), May("introspection", Uri));

    private static readonly string[] Schemes = ["basic", "bearer", "digest", "certificate", "oauth2", "oidc"];

    private static readonly Field[] SchemeFields =
    [
        May("basic", UserAndPassword), May("bearer", Token), May("digest", UserAndPassword), May("certificate", ClientCertificate),
        May("oauth2", SecretOr(new ObjectShape("an OAuth2 authentication", [.. OAuth2Fields, May("endpoints", Endpoints)]))),
        May("oidc", SecretOr(new ObjectShape("an OpenID Connect authentication", OAuth2Fields))),
    ];

    /// <summary>As defined under <c>use.authentications</c>.</summary>
    public static readonly Shape Policy = new ObjectShape("an authentication policy", SchemeFields).ExactlyOne(Schemes);

    /// <summary>As used: a policy, or the name of one.</summary>
    public static readonly Shape Authentication = new ObjectShape("an authentication policy", [May("use", Name), .. SchemeFields]).ExactlyOne(["use", .. Schemes]);

    public static readonly Shape Endpoint = new EitherShape("a URI, a runtime expression, or an object with uri and authentication",
        Uri, new ObjectShape("an endpoint", Must("uri", Uri), May("authentication", Authentication)));

    public static readonly Shape Resource = new ObjectShape("an external resource", May("name", Text), Must("endpoint", Endpoint));

    private static readonly Shape Schema = new ObjectShape("a schema", May("format", Text), May("document", new AnyShape("a JSON Schema", JsonKind.Object, JsonKind.True, JsonKind.False)), May("resource", Resource))
        .ExactlyOne("document", "resource");

    public static readonly Shape Input = new ObjectShape("an input", May("schema", Schema), May("from", FilterOrObject));
    public static readonly Shape Output = new ObjectShape("an output", May("schema", Schema), May("as", FilterOrObject));
    public static readonly Shape Export = new ObjectShape("an export", May("schema", Schema), May("as", FilterOrObject));

    private static readonly Shape TimeoutPolicy = new ObjectShape("a timeout", Must("after", Duration));
    public static readonly Shape Timeout = new EitherShape("a timeout, or the name of one", Name, TimeoutPolicy);

    public static readonly Shape Error = new ObjectShape("an error",
        Must("type", Uri), Must("status", Whole), May("title", Text), May("detail", Text), May("instance", Text));

    private static readonly Shape Backoff = new ObjectShape("a backoff", May("constant", AnyObject), May("linear", AnyObject), May("exponential", AnyObject))
        .ExactlyOne("constant", "linear", "exponential");

    public static readonly Shape Retry = new ObjectShape("a retry policy",
        May("when", Filter), May("exceptWhen", Filter), May("delay", Duration), May("backoff", Backoff),
        May("limit", new ObjectShape("a retry limit",
            May("attempt", new ObjectShape("a limit of attempts", May("count", new WholeShape(0)), May("duration", Duration))), May("duration", Duration))),
        May("jitter", new ObjectShape("a jitter", Must("from", Duration), Must("to", Duration))));

    private static readonly Field[] EventFields =
    [
        May("id", Text), May("source", Uri), May("type", Text), May("time", new TextShape("a time such as 2026-11-20T15:04:05Z, or a runtime expression", IsTime)),
        May("subject", Text), May("datacontenttype", Text), May("dataschema", Uri), May("data", Any),
    ];

    /// <summary>What an emitted event holds besides the attributes that are made for it.</summary>
    public static readonly Shape Event = new ObjectShape("an event", [Must("type", Text), .. EventFields.Where(f => f.Name != "type")]).Open();

    private static readonly Shape EventFilter = new ObjectShape("an event filter",
        Must("with", new ObjectShape("the attributes of an event", EventFields).Open().Rule(NotEmpty)),
        May("correlate", new MapShape("an object of correlations", new ObjectShape("a correlation", Must("from", Filter), May("expect", Text)))));

    private static readonly Field[] StrategyFields =
        [May("all", new ListShape("a list of event filters", EventFilter)), May("any", new ListShape("a list of event filters", EventFilter)), May("one", EventFilter)];

    public static readonly Shape Strategy = new ObjectShape("a choice of events",
        [.. StrategyFields, May("until", new EitherShape("a runtime expression or a choice of events", Filter, new ObjectShape("a choice of events", StrategyFields).ExactlyOne("all", "any", "one")))])
        .ExactlyOne("all", "any", "one").Rule((choice, pointer, findings) =>
        {
            // "Only applies if any has been set, otherwise ignored."
            if (choice.Has("until") && !choice.Has("any"))
                findings.Warn("workflow.ignored_property", Graph.Pointer.Of(pointer, "until"), "'until' means something beside 'any' alone and has no effect here.", expected: "any, with until beside it");
        });

    /// <summary>Looked up late: the two tables refer to each other.</summary>
    private static readonly Shape Tasks = new LaterShape("a list of named tasks", () => DslTasks.List);

    private static readonly Shape Extension = new ObjectShape("an extension",
        Must("extend", new ChoiceShape("call", "composite", "emit", "for", "listen", "raise", "run", "set", "switch", "try", "wait", "all")),
        May("when", Filter), May("before", Tasks), May("after", Tasks));

    private static readonly Shape Use = new ObjectShape("the section of reusable components",
        May("authentications", new MapShape("an object of authentication policies", Policy)),
        May("errors", new MapShape("an object of errors", Error)),
        May("extensions", new NamedListShape("a list of extensions", "an extension", Extension)),
        May("functions", new MapShape("an object of tasks", new LaterShape("a task", () => DslTasks.Task))),
        May("retries", new MapShape("an object of retry policies", Retry)),
        May("secrets", new ListShape("a list of the secrets' names", Name)),
        May("timeouts", new MapShape("an object of timeouts", TimeoutPolicy)),
        May("catalogs", new MapShape("an object of catalogs", new ObjectShape("a catalog", Must("endpoint", Endpoint)))));

    private static readonly Shape Schedule = new ObjectShape("a schedule",
        May("every", Duration), May("cron", Text), May("after", Duration), May("on", Strategy), May("read", new ChoiceShape("data", "envelope", "raw")))
        .Needs("read", "on");

    private static readonly Shape Document = new ObjectShape("the description of the document",
        Must("dsl", Semantic), Must("namespace", Label), Must("name", Label), Must("version", Semantic),
        May("title", Text), May("summary", Text), May("tags", AnyObject), May("metadata", AnyObject));

    /// <summary>The whole document.</summary>
    public static readonly Shape Workflow = new ObjectShape("a workflow",
        Must("document", Document), May("input", Input), May("use", Use), Must("do", Tasks), May("timeout", Timeout), May("output", Output),
        May("schedule", Schedule), May("evaluate", new ObjectShape("the way of evaluation", May("language", Text), May("mode", new ChoiceShape("strict", "loose")))));

    public static Field Must(string name, Shape shape) => new(name, shape, true);
    public static Field May(string name, Shape shape) => new(name, shape);

    private static SecretShape SecretOr(ObjectShape shape) => new(Secret, shape);

    private static void NotEmpty(JsonObject value, string pointer, Findings findings)
    {
        if (value.Count == 0) findings.AtKey("workflow.bad_value", pointer, "At least one attribute of the event is needed.", "type, source, subject, data, ...");
    }

    public static bool IsHost(string text) => HostName().IsMatch(text);

    private static bool IsUri(string text) => text.Length > 0 && (text.Contains("${", StringComparison.Ordinal) || !text.Any(char.IsWhiteSpace));

    private static bool IsTime(string text) => text.Contains("${", StringComparison.Ordinal) || DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out _);

    private static bool IsVariable(string text) => VariableName().IsMatch(text) && !Variables.Standard.Contains(text);

    [GeneratedRegex(@"^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-(0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?\z", RegexOptions.CultureInvariant)]
    public static partial Regex SemanticVersion();

    [GeneratedRegex(@"^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex LabelName();

    [GeneratedRegex(@"^[a-zA-Z0-9]([a-zA-Z0-9-.]{0,61}[a-zA-Z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex HostName();

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_]{0,99}\z", RegexOptions.CultureInvariant)]
    private static partial Regex VariableName();
}

/// <summary>An authentication's parameters, or the secret that holds them.</summary>
internal sealed class SecretShape(Shape secret, Shape parameters) : Shape(parameters.Expected + ", or a secret that holds it")
{
    public override bool Fits(Json value) => value.IsObject;

    protected override void CheckInside(Json value, string pointer, Findings findings) =>
        (value.AsObject().Has("use") ? secret : parameters).Check(value, pointer, findings);
}
