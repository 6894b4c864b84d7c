namespace Millrace.Workflows.Graph;

/// <summary>What a task does, by kind. The twelve tasks of the language become these; emit, shell, script and container are calls.</summary>
public abstract record TaskBody
{
    /// <summary>The task's keyword in the language: <c>do</c>, <c>call</c>, <c>run</c>, …</summary>
    public required string Keyword { get; init; }
}

public sealed record DoBody(Scope Tasks) : TaskBody;

public sealed record SetBody(Template Value) : TaskBody;

public sealed record SwitchBody(IReadOnlyList<SwitchCase> Cases) : TaskBody;

/// <summary>A case without <paramref name="When"/> is the default.</summary>
public sealed record SwitchCase(string Name, Expression? When, Flow Then);

public sealed record ForBody(string Each, string At, Template In, Expression? While, Scope Tasks) : TaskBody;

/// <summary>Each branch is one node.</summary>
public sealed record ForkBody(IReadOnlyList<Node> Branches, bool Compete) : TaskBody;

public sealed record TryBody(Scope Tasks, CatchClause Catch) : TaskBody;

public sealed record CatchClause
{
    /// <summary>Members that an error must have (type, status, instance, title, detail), each a template; null catches all.</summary>
    public Template? With { get; init; }

    public required string As { get; init; }
    public Expression? When { get; init; }
    public Expression? ExceptWhen { get; init; }
    public RetryPolicy? Retry { get; init; }
    public Scope? Do { get; init; }

    /// <summary>Null when the clause names none: the try task's own directive holds.</summary>
    public Flow? Then { get; init; }
}

/// <summary>Durations are templates, see <see cref="Duration"/>.</summary>
public sealed record RetryPolicy
{
    public Expression? When { get; init; }
    public Expression? ExceptWhen { get; init; }
    public Template? Delay { get; init; }
    public BackoffKind Backoff { get; init; }

    /// <summary>Linear: what each attempt adds (default: the delay itself). Exponential: the factor (default 2). From the backoff's own options where given.</summary>
    public Template? BackoffStep { get; init; }

    public Template? JitterFrom { get; init; }
    public Template? JitterTo { get; init; }
    public int? AttemptsMax { get; init; }
    public Template? AttemptDurationMax { get; init; }
    public Template? DurationMax { get; init; }
}

public enum BackoffKind : byte { Constant, Linear, Exponential }

/// <summary>Evaluates to an error object with at least type and status.</summary>
public sealed record RaiseBody(Template Error) : TaskBody;

public sealed record WaitBody(Template Duration) : TaskBody;

/// <summary>
/// One effect through a registered function. <paramref name="Function"/> is <c>http</c>, <c>openapi</c>, <c>shell</c>,
/// <c>script</c>, <c>emit</c>, or <c>name:version@default</c>; <paramref name="Arguments"/> evaluates to its input:
/// <list type="bullet">
/// <item><c>http</c>, <c>openapi</c>: the <c>with</c> object as written, references to authentication policies replaced by the
/// policies (a policy may still name a secret: <c>{basic: {use: name}}</c>). Where a URI holds <c>{name}</c> outside of
/// expressions there is a further member <c>input</c>, the task's input, to take the names' values from; without it
/// nothing is to be interpolated.</item>
/// <item><c>emit</c>: the <c>emit.event.with</c> object.</item>
/// <item><c>shell</c>: command, arguments, stdin, environment, return. <c>script</c>: language, code or source, arguments, stdin,
/// environment, return, and <c>input</c> as above for a source. <c>return</c> is always there.</item>
/// <item>functions of the default catalog: the <c>with</c> object, <c>{}</c> when there is none.</item>
/// </list>
/// </summary>
/// <param name="Await">False: the task's output is its input and the effect's result is not waited for (<c>run.await</c>).</param>
public sealed record CallBody(string Function, Template Arguments, bool Await = true) : TaskBody
{
    /// <summary>The authentication among the arguments, for <c>$authorization</c>.</summary>
    public Template? Authorization { get; init; }

    /// <summary>What is done for each item that the effect gives while it is under way; null when it gives none.</summary>
    public ItemLoop? Each { get; init; }
}

/// <summary>
/// What a task does for each message of a subscription (dsl-reference.md, AsyncAPI Subscription). The conditions are asked when a message is done with; their input is the array of
/// those that came.
/// </summary>
public sealed record ItemLoop(EventIterator Iterator, Expression? While, Expression? Until);

/// <summary>A call of a task defined under <c>use.functions</c>, in a catalog or at a URL; it runs on the evaluated arguments, or on the input when there are none.</summary>
public sealed record InvokeBody(Template? Arguments, Node Target) : TaskBody
{
    /// <summary>The function stands in a document of its own.</summary>
    public bool IsImported { get; init; }
}

/// <summary>One child run.</summary>
/// <param name="Version">A version, <c>latest</c>, or a <see cref="VersionRange"/>.</param>
public sealed record SpawnBody(string Namespace, string Name, string Version, Template? Input, bool Await) : TaskBody
{
    /// <summary>The first of the tasks of the same text that the child runs; null when it runs all of another.</summary>
    public int? Entry { get; init; }
}
