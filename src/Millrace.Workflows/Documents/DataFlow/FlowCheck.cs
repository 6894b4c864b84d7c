using Millrace.Jq;
using Millrace.Jq.Syntax;
using Millrace.Jq.Text;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Schema;
using Node = Millrace.Workflows.Graph.Node;

namespace Millrace.Workflows.Documents.DataFlow;

/// <summary>
/// Follows the data through a graph before any run (dsl.md, Data Flow) and warns of what can only fail or can only be
/// null. Loops, functions and ways back are entered with anything, so that one passage is enough and nothing is ruled out wrongly.
/// </summary>
internal sealed class FlowCheck
{
    /// <summary>Passages to find out what the context may be; beyond them it may be anything.</summary>
    private const int PassagesMax = 4;

    private readonly Workflow _workflow;
    private readonly Findings _findings;
    private readonly Dictionary<Expression, Millrace.Jq.Syntax.Node> _filters = [];
    private Form _context = Form.Null;
    private Form? _exported;
    private Form? _ended;
    private bool _reports;

    private FlowCheck(Workflow workflow, Findings findings)
    {
        _workflow = workflow;
        _findings = findings;
        Arguments = new StandardForms(workflow);
    }

    public StandardForms Arguments { get; }

    public static void Run(Workflow workflow, Findings findings)
    {
        var check = new FlowCheck(workflow, findings);
        check.FindContext();
        check._reports = true;
        check.Pass();
    }

    /// <summary>The context begins as the transformed input of the workflow.</summary>
    private void FindContext()
    {
        var start = _context = Start();
        for (var i = 0; i < PassagesMax; i++)
        {
            _exported = null;
            Pass();
            var context = _exported is null ? start : _exported.Or(start);
            var signature = context.Signature();
            if (signature is null) break;
            if (signature == _context.Signature()) return;
            _context = context;
        }
        _context = Form.Any;
    }

    private void Pass()
    {
        _ended = null;
        var none = new Site(this, null, Form.Any, null);
        var input = Start();
        var output = Scope(_workflow.Do, input, []);
        if (_ended is not null) output = output.Or(_ended);
        none.Of(_workflow.OutputAs, output);
        none.Of(_workflow.Timeout, input);
    }

    private Form Start()
    {
        var raw = Arguments.WorkflowInput;
        return new Site(this, null, Form.Any, null).Of(_workflow.InputFrom, raw) ?? raw;
    }

    /// <summary>The form that leaves a list of tasks.</summary>
    private Form Scope(Scope scope, Form input, Lexical names)
    {
        var nodes = scope.Nodes;
        if (nodes.Count == 0) return input;
        var entry = new Form?[nodes.Count];
        entry[0] = input;
        foreach (var node in nodes)
            foreach (var flow in Reachability.Next(node))
                if (flow.Kind == FlowKind.Goto && flow.Position <= node.Position) entry[flow.Position] = Form.Any;
        Form? leaving = null;
        for (var at = 0; at < nodes.Count; at++)
        {
            if (entry[at] is not { } raw) continue;
            var output = Node(nodes[at], raw, names);
            // One that its condition skips hands on what it was given.
            if (nodes[at].If is not null) output = output.Or(raw);
            foreach (var flow in Reachability.Next(nodes[at]))
            {
                var to = flow.Kind switch { FlowKind.Continue => at + 1, FlowKind.Goto => flow.Position, _ => nodes.Count };
                if (flow.Kind == FlowKind.End) _ended = _ended is null ? output : _ended.Or(output);
                else if (to >= nodes.Count) leaving = leaving is null ? output : leaving.Or(output);
                else if (to > at) entry[to] = entry[to] is { } other ? other.Or(output) : output;
            }
        }
        return leaving ?? Form.Any;
    }

    private Form Node(Node node, Form raw, Lexical names)
    {
        if (raw.IsAny && node.InputSchema is { } expected) raw = Form.Of(expected);
        var before = new Site(this, node, Form.Any, names);
        before.Of(node.If, raw);
        var input = before.Of(node.InputFrom, raw) ?? raw;
        var site = new Site(this, node, input, names);
        site.Of(node.Timeout, input);
        var rawOutput = Body(node, input, site, names);
        var output = site.Of(node.OutputAs, rawOutput) ?? rawOutput;
        if (output.IsAny && node.OutputSchema is { } checkedOutput) output = Form.Of(checkedOutput);
        if (node.ExportAs is not null)
            Export((site with { Output = output }).Of(node.ExportAs, output)!, node.ExportSchema);
        return output;
    }

    private void Export(Form context, JsonSchema? schema)
    {
        if (context.IsAny && schema is not null) context = Form.Of(schema);
        _exported = _exported is null ? context : _exported.Or(context);
    }

    private Form Body(Node node, Form input, Site site, Lexical names)
    {
        switch (node.Body)
        {
            case SetBody set: return site.Of(set.Value, input)!;
            case DoBody list: return Scope(list.Tasks, input, names);
            case ForBody loop: return Loop(node, loop, input, site, names);
            case ForkBody fork:
                var branches = fork.Branches.Select(b => Node(b, input, names)).ToList();
                if (branches.Count == 0) return fork.Compete ? input : Form.Array(Form.Any);
                var any = branches.Aggregate((a, b) => a.Or(b));
                return fork.Compete ? any.Or(input) : Form.Array(any);
            case TryBody attempt: return Try(attempt, input, site, names);
            case SwitchBody choice:
                foreach (var one in choice.Cases) site.Of(one.When, input);
                return input;
            case RaiseBody raise:
                site.Of(raise.Error, input);
                return input;
            case WaitBody wait:
                site.Of(wait.Duration, input);
                return input;
            case InvokeBody invoke:
                site.Of(invoke.Arguments, input);
                // Nothing can be told of a place in another document.
                return invoke.IsImported ? Form.Any : Node(invoke.Target, Form.Any, []);
            case ExtendedBody extended: return Extended(extended, input, names);
            case SpawnBody spawn:
                site.Of(spawn.Input, input);
                return spawn.Await ? Form.Any : input;
            case ContinueBody next:
                site.Of(next.Input, input);
                return Form.Any;
            case ApproveBody approve:
                foreach (var template in approve.Templates) site.Of(template, input);
                return Form.Any;
            case MapBody { Tasks: { } tasks }:
                // A run of its own: its input is an item, its context begins with it.
                Scope(tasks, Form.Any, []);
                return Spawned(node, input, site, names);
            case MapBody or SwarmBody: return Spawned(node, input, site, names);
            case ListenBody listen: return Listen(listen, site, names);
            case CallBody call:
                site.Of(call.Arguments, input);
                if (call.Each is { } each) return Items(each, site, names);
                return call.Await ? Results.Of(call) : input;
            default: return Form.Any;
        }
    }

    private static Form Spawned(Node node, Form input, Site site, Lexical names) => SpawnForms.Of((ChildrenBody)node.Body, (template, own) => (site with { Names = names.With(own) }).Of(template, input));

    /// <summary>What is done before and after a task is dropped, but where a list is left by <c>exit</c>.</summary>
    private Form Extended(ExtendedBody extended, Form input, Lexical names)
    {
        var output = Node(extended.Task, input, names);
        var given = output;
        foreach (var layer in extended.Layers)
        {
            new Site(this, null, Form.Any, null).Of(layer.When, input);
            if (layer.Before is { } before) Scope(before, input, []);
            if (layer.After is { } after) Scope(after, given, []);
            if (MayExit(layer.Before) || MayExit(layer.After)) output = Form.Any;
        }
        return output;
    }

    private static bool MayExit(Scope? tasks) => tasks?.Nodes.Any(n => Reachability.Next(n).Any(f => f.Kind == FlowKind.Exit)) == true;

    private Form Loop(Node node, ForBody loop, Form input, Site site, Lexical names)
    {
        var items = site.Of(loop.In, input)!;
        if (_reports && !items.May(JsonTypes.Array | JsonTypes.Null))
            _findings.Warn("workflow.type_mismatch", node.Reference + "/for/in", $"This is {items.Words}; a loop goes through an array.");
        var inside = names.With((loop.Each, items.May(JsonTypes.Array) ? items.Items : Form.Any), (loop.At, Form.Number));
        (site with { Names = inside }).Of(loop.While, Form.Any);
        return Scope(loop.Tasks, Form.Any, inside).Or(input);
    }

    /// <summary>Nothing is known of events before they come; what is done for each is followed with anything.</summary>
    private Form Listen(ListenBody listen, Site site, Lexical names)
    {
        if (listen.To.UntilCondition is { } until) site.Of(until, Form.Array(Form.Any));
        // It is an array; that examples of the specification take its members apart by name is no reason to warn of each.
        return listen.ForEach is { } each ? Iterated(each, site, names) : Form.Any;
    }

    private Form Items(ItemLoop each, Site site, Lexical names)
    {
        if (each.While is { } goes) site.Of(goes, Form.Array(Form.Any));
        if (each.Until is { } until) site.Of(until, Form.Array(Form.Any));
        return Iterated(each.Iterator, site, names);
    }

    private Form Iterated(EventIterator each, Site site, Lexical names)
    {
        var inside = names.With((each.Item, Form.Any), (each.At, Form.Number));
        var output = each.Tasks is null ? Form.Any : Scope(each.Tasks, Form.Any, inside);
        var place = site with { Names = inside };
        output = place.Of(each.OutputAs, output) ?? output;
        if (output.IsAny && each.OutputSchema is { } checkedOutput) output = Form.Of(checkedOutput);
        if (each.ExportAs is not null) Export((place with { Output = output }).Of(each.ExportAs, output)!, each.ExportSchema);
        return Form.Array(output);
    }

    private Form Try(TryBody attempt, Form input, Site site, Lexical names)
    {
        var output = Scope(attempt.Tasks, input, names);
        var clause = attempt.Catch;
        var inside = names.With((clause.As, StandardForms.Error));
        var caught = site with { Names = inside };
        caught.Of(clause.With, input);
        caught.Of(clause.When, input);
        caught.Of(clause.ExceptWhen, input);
        if (clause.Retry is { } retry)
        {
            caught.Of(retry.When, input);
            caught.Of(retry.ExceptWhen, input);
            foreach (var duration in new[] { retry.Delay, retry.BackoffStep, retry.JitterFrom, retry.JitterTo, retry.AttemptDurationMax, retry.DurationMax })
                caught.Of(duration, input);
        }
        return output.Or(clause.Do is null ? input : Scope(clause.Do, input, inside));
    }

    /// <summary>Variables of the loops and catch clauses around a task.</summary>
    private sealed class Lexical : Dictionary<string, Form>
    {
        public Lexical With(params ReadOnlySpan<(string Name, Form Form)> names)
        {
            var all = new Lexical();
            foreach (var (name, form) in this) all[name] = form;
            foreach (var (name, form) in names) all[name] = form;
            return all;
        }
    }

    /// <summary>A site where expressions stand, with what they can read there.</summary>
    private sealed record Site(FlowCheck Check, Node? Node, Form Input, Lexical? Names)
    {
        public Form? Output { get; init; }

        public Form? Of(Expression? expression, Form input) => expression is null ? null : Eval(expression, input);

        public Form? Of(Template? template, Form input) => template switch
        {
            null => null,
            Template.Constant constant => Form.Of(constant.ConstantValue!.Value),
            Template.Whole whole => Eval(whole.Expression, input),
            Template.Text text => Text(text, input),
            Template.Items items => Form.Array(items.All.Select(i => Of(i, input)!).ToList().Aggregate((a, b) => a.Or(b))),
            Template.Members members => Form.Object(members.All.Select(m => KeyValuePair.Create(m.Key, Of(m.Value, input)!)).ToList()),
            _ => Form.Any,
        };

        private Form Text(Template.Text text, Form input)
        {
            foreach (var part in text.Parts) Of(part, input);
            return Form.String;
        }

        private Form Eval(Expression expression, Form input)
        {
            if (!Check._filters.TryGetValue(expression, out var filter))
                Check._filters[expression] = filter = DeepStack.IsShort() ? DeepStack.Run(() => Parser.ParseFilter(expression.Source)) : Parser.ParseFilter(expression.Source);
            return new ExpressionForms(Variable, (code, at, message) => Report(expression, code, at, message)).Of(filter, input);
        }

        private Form Variable(string name) => name switch
        {
            _ when Names?.TryGetValue(name, out var form) == true => form,
            "context" => Check._context,
            "input" => Input,
            "output" => Output ?? Form.Any,
            "task" when Node is null || Node.Reference.StartsWith("/use/extensions/", StringComparison.Ordinal) => Form.Any,
            _ => Check.Arguments.Of(name),
        };

        private void Report(Expression expression, string code, Span at, string message)
        {
            if (!Check._reports) return;
            Check._findings.Inside(Severity.Warning, code, expression.Pointer, message, expression.Start + at.Start);
        }
    }
}
