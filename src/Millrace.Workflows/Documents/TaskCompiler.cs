using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Documents;

/// <summary>Compiles lists of tasks to scopes and tasks to nodes. What the shapes have refused is passed over: no graph is handed out then.</summary>
internal static class TaskCompiler
{
    private static readonly Dictionary<string, int> NoTargets = [];

    public static Scope Scope(Compilation of, Cursor list, IReadOnlyList<string> names)
    {
        var tasks = list.Named.ToList();
        var targets = Targets(of, tasks);
        var nodes = new List<Node>(tasks.Count);
        foreach (var (name, task) in tasks) nodes.Add(Node(of, name, task, nodes.Count, targets, names));
        Reachability.Check(of.Findings, nodes);
        return new Scope { Nodes = nodes };
    }

    /// <summary>A task that no directive of another can lead to: a branch of a fork, a function.</summary>
    public static Node Single(Compilation of, string name, Cursor task, IReadOnlyList<string> names) => Node(of, name, task, 0, NoTargets, names);

    public static Flow Flow(Compilation of, Cursor directive, Dictionary<string, int> targets)
    {
        switch (directive.Text)
        {
            case null or "" or "continue": return Graph.Flow.Continue;
            case "exit": return new Flow(FlowKind.Exit);
            case "end": return new Flow(FlowKind.End);
            case { } name when targets.TryGetValue(name, out var position): return new Flow(FlowKind.Goto, position);
            case { } name:
                of.Findings.AtValue("workflow.unknown_target", directive.Pointer,
                    $"No task '{TextShape.Shorten(name)}' stands in the same list, and directives lead to no other{of.Findings.Hint(name, targets.Keys.Prepend("end").Prepend("exit").Prepend("continue"))}",
                    string.Join(", ", ["continue", "exit", "end", .. targets.Keys.Take(20)]));
                return Graph.Flow.Continue;
        }
    }

    private static Dictionary<string, int> Targets(Compilation of, List<(string Name, Cursor Task)> tasks)
    {
        var targets = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < tasks.Count; i++)
        {
            var (name, task) = tasks[i];
            if (!targets.TryAdd(name, i))
                of.Findings.AtKey("workflow.duplicate_name", task.Pointer, $"A task '{name}' stands already in this list, at line {of.Findings.Map.Key(tasks[targets[name]].Task.Pointer).Line}.", "a name of its own");
            if (name is "continue" or "exit" or "end")
                of.Findings.Warn("workflow.reserved_name", task.Pointer, $"'{name}' is a directive; no task can lead to a task of that name.", of.Findings.Map.Key(task.Pointer));
        }
        return targets;
    }

    private static Node Node(Compilation of, string name, Cursor task, int position, Dictionary<string, int> targets, IReadOnlyList<string> names)
    {
        var extensions = ExtensionCompiler.Of(of, task);
        if (extensions.Count == 0) return Node(of, name, task, position, targets, names, of.Filter(task["if"], names, Place.If));
        var index = of.Nodes.Count;
        of.Nodes.Add(null);
        var inner = Node(of, name, task, position, targets, names, null);
        var body = new ExtendedBody(inner, ExtensionCompiler.Layers(of, extensions)) { Keyword = inner.Body.Keyword };
        var node = new Node
        {
            Index = index,
            Name = name,
            Reference = inner.Reference,
            Line = inner.Line,
            Position = position,
            Definition = task.Value,
            If = of.Filter(task["if"], names, Place.If),
            Body = body,
            Then = inner.Then,
        };
        of.Nodes[index] = node;
        return node;
    }

    private static Node Node(Compilation of, string name, Cursor task, int position, Dictionary<string, int> targets, IReadOnlyList<string> names, Expression? condition)
    {
        var index = of.Nodes.Count;
        if (index >= Compilation.NodesMax) throw Limit("The graph has too many tasks here, those of functions counted for each call.", Compilation.NodesMax);
        if (of.Nesting >= Compilation.NestingMax) throw Limit("Tasks are nested too deeply here, those of functions counted where they are called.", Compilation.NestingMax);
        of.Nodes.Add(null);
        of.Nesting++;
        var node = new Node
        {
            Index = index,
            Name = name,
            Reference = of.Prefix + task.Pointer,
            Line = of.Line ?? of.Findings.Map.Key(task.Pointer).Line,
            Position = position,
            Definition = task.Value,
            If = condition,
            InputSchema = of.Schema(task["input"]),
            InputFrom = of.FilterOrObject(task["input"]["from"], names, Place.TaskInput),
            OutputSchema = of.Schema(task["output"]),
            OutputAs = of.FilterOrObject(task["output"]["as"], names, Place.TaskOutput),
            ExportSchema = of.Schema(task["export"]),
            ExportAs = of.FilterOrObject(task["export"]["as"], names, Place.Export),
            Timeout = Timeout(of, task["timeout"], names),
            Body = Body(of, task, targets, names),
            Then = Flow(of, task["then"], targets),
            Compensate = Compensation(of, name, task["metadata"]["compensate"]),
        };
        of.Nesting--;
        of.Nodes[index] = node;
        CheckSecrets(of, node, task);
        return node;

        UnreadableException Limit(string message, int max) => new("workflow.limit", message, of.Findings.Map.Key(task.Pointer), $"at most {max}");
    }

    /// <summary>It runs when the loops and clauses around the task are gone, so it reads none of their variables.</summary>
    private static Node? Compensation(Compilation of, string name, Cursor list)
    {
        if (!list.Is(JsonKind.Array)) return null;
        var index = of.Nodes.Count;
        of.Nodes.Add(null);
        var node = new Node
        {
            Index = index,
            Name = $"undo {name}",
            Reference = list.Pointer,
            Line = of.Findings.Map.Key(list.Pointer).Line,
            Position = 0,
            Definition = list.Value,
            Body = new DoBody(Scope(of, list, Variables.With(Variables.Standard, Kernel.Compensating.Variable))) { Keyword = "do" },
        };
        of.Nodes[index] = node;
        return node;
    }

    /// <summary>An input that holds secrets is never written to the journal, so nothing that is written may be made of it.</summary>
    private static void CheckSecrets(Compilation of, Node node, Cursor task)
    {
        if (node.InputFrom?.Variables.Contains("secrets") != true) return;
        if (node.Body is not CallBody { Await: true, Function: not "emit" })
            of.Findings.AtValue("workflow.secret_exposed", task["input"]["from"].Pointer, "Only the input of a call that is awaited may hold secrets; this task would write it to the journal.");
        if (node.OutputAs?.Variables.Contains("input") == true)
            of.Findings.AtValue("workflow.secret_exposed", task["output"]["as"].Pointer, "The task's input holds secrets, and its output is written to the journal; it must not read $input.");
        if (node.ExportAs?.Variables.Contains("input") == true)
            of.Findings.AtValue("workflow.secret_exposed", task["export"]["as"].Pointer, "The task's input holds secrets, and the context is written to the journal; it must not read $input.");
    }

    public static Template? Timeout(Compilation of, Cursor timeout, IReadOnlyList<string> names)
    {
        if (timeout.Is(JsonKind.String)) return of.Find("timeouts", "timeout", timeout) is { } found ? of.Duration(found["after"], names) : null;
        return of.Duration(timeout["after"], names);
    }

    private static TaskBody Body(Compilation of, Cursor task, Dictionary<string, int> targets, IReadOnlyList<string> names)
    {
        var keyword = task.Value.ObjectOrNull is { } members ? DslTasks.KeywordOf(members) : null;
        return keyword switch
        {
            "call" => CallCompiler.Call(of, task, names),
            "emit" => CallCompiler.Emit(of, task["emit"], names),
            "for" => For(of, task, names),
            "fork" => Fork(of, task["fork"], names),
            "listen" => Listening.Task(of, task, names),
            "raise" => TryCompiler.Raise(of, task["raise"]["error"], names),
            "run" => RunCompiler.Run(of, task["run"], names),
            "set" => Set(of, task["set"], names),
            "switch" => Switch(of, task["switch"], targets, names),
            "try" => TryCompiler.Try(of, task, targets, names),
            "wait" => new WaitBody(of.Duration(task["wait"], names) ?? Template.Of(Json.Null)) { Keyword = "wait" },
            _ => new DoBody(Scope(of, task["do"], names)) { Keyword = "do" },
        };
    }

    private static SetBody Set(Compilation of, Cursor set, IReadOnlyList<string> names) =>
        new(of.FilterOrObject(set, names, Place.Kept) ?? Template.Of(Json.Null)) { Keyword = "set" };

    private static ForBody For(Compilation of, Cursor task, IReadOnlyList<string> names)
    {
        var loop = task["for"];
        var each = loop["each"].Text ?? "item";
        var at = loop["at"].Text ?? "index";
        if (each == at) of.Findings.AtValue("workflow.duplicate_name", loop[loop["at"].IsAbsent ? "each" : "at"].Pointer, $"The item and its index are both named '{each}'.", "two names");
        var inside = Variables.With(names, each, at);
        var items = loop["in"].Is(JsonKind.Array) ? of.Template(loop["in"], names, Place.Kept) : of.FilterOrObject(loop["in"], names, Place.Kept);
        return new(each, at, items ?? Template.Of(Json.EmptyArray), of.Filter(task["while"], inside, Place.Definition), Scope(of, task["do"], inside)) { Keyword = "for" };
    }

    private static ForkBody Fork(Compilation of, Cursor fork, IReadOnlyList<string> names)
    {
        var branches = fork["branches"].Named.ToList();
        Targets(of, branches);
        return new([.. branches.Select(b => Single(of, b.Name, b.Value, names))], fork["compete"].Value.IsTruthy) { Keyword = "fork" };
    }

    private static SwitchBody Switch(Compilation of, Cursor cases, Dictionary<string, int> targets, IReadOnlyList<string> names)
    {
        var compiled = new List<SwitchCase>();
        var known = new HashSet<string>(StringComparer.Ordinal);
        string? fallback = null;
        foreach (var (name, value) in cases.Named)
        {
            if (!known.Add(name))
                of.Findings.AtKey("workflow.duplicate_name", value.Pointer, $"A case '{name}' stands already in this switch.", "a name of its own");
            if (value["when"].IsAbsent && fallback is not null)
                of.Findings.AtKey("workflow.conflict", value.Pointer, $"'{fallback}' is the default already; every other case needs 'when'.", "when: a runtime expression");
            if (value["when"].IsAbsent) fallback = name;
            compiled.Add(new(name, of.Filter(value["when"], names, Place.Definition), Flow(of, value["then"], targets)));
        }
        return new(compiled) { Keyword = "switch" };
    }
}
