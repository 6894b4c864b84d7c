using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Documents;

/// <summary>Compiles calls of <c>map</c> and <c>swarm</c>.</summary>
internal static class SpawnCompiler
{
    private const int ConcurrencyDefault = 10;

    public static ChildrenBody Map(Compilation of, Cursor task, IReadOnlyList<string> names)
    {
        var with = Arguments(of, task, SpawnShapes.Map);
        var each = with["each"].Value is not { IsBoolean: true } flag || flag.AsBoolean();
        var inside = Variables.With(names, each ? ["item", "index"] : ["items", "offset"]);
        var from = with["in"];
        var walked = Variables.With(names, "cursor");
        var tasks = with["do"].Is(JsonKind.Array) && with["do"].Named.Any() ? TaskCompiler.Scope(of, with["do"], Variables.Standard) : null;
        return new MapBody(
            Concurrency(of, with, names),
            tasks is null ? Child(of, with["do"], with["input"], inside) : Inline(of, tasks, with["input"], inside),
            from.Is(JsonKind.Object) ? null : of.Template(from, names, Place.Kept),
            from.Is(JsonKind.Object) ? new Pages(of.Template(from["first"], names, Place.Kept), of.Template(from["items"], walked, Place.Kept), of.Template(from["next"], walked, Place.Kept)) : null,
            with["chunk"].IsAbsent ? null : of.Template(with["chunk"], names, Place.Kept),
            each,
            with["key"].IsAbsent ? null : of.Template(with["key"], inside, Place.Kept),
            Collect: with["onError"].Is(JsonKind.Object) || with["onError"].Text == "collect",
            with["onError"].Is(JsonKind.Object) ? of.Template(with["onError"]["tolerate"], names, Place.Kept) : null)
        { Keyword = "call", Tasks = tasks, Results = with["results"].Text switch { "reference" => MapResults.Reference, "none" => MapResults.None, _ => MapResults.Inline } };
    }

    /// <summary>A child that runs tasks of this very document.</summary>
    private static SpawnBody Inline(Compilation of, Scope tasks, Cursor input, IReadOnlyList<string> names)
    {
        var document = of.Root["document"];
        return new(document["namespace"].Text ?? "", document["name"].Text ?? "", document["version"].Text ?? "", input.IsAbsent ? null : of.Template(input, names, Place.Kept), Await: true)
        { Keyword = "call", Entry = tasks.Nodes[0].Index };
    }

    public static ChildrenBody Swarm(Compilation of, Cursor task, IReadOnlyList<string> names)
    {
        var with = Arguments(of, task, SpawnShapes.Swarm);
        var members = with["nodes"].Members.Take(SpawnShapes.NodesMax + 1).ToList();
        if (members.Count > SpawnShapes.NodesMax)
            of.Findings.AtValue("workflow.limit", with["nodes"].Pointer, $"A swarm has at most {SpawnShapes.NodesMax} members.");
        var needs = Needs(of, members);
        var dependents = members.ConvertAll(_ => new List<int>());
        for (var i = 0; i < members.Count; i++)
            foreach (var need in needs[i]) dependents[need].Add(i);
        CheckCycles(of, members, needs, dependents);
        var inside = Variables.With(names, "needs");
        var nodes = members.Select((m, i) => Member(of, m.Key, m.Value, needs[i], dependents[i], inside)).ToList();
        var join = with["join"];
        var count = join.Text == "any" ? 1 : join.Value.IsNumber ? (int)join.Value.AsNumber() : 0;
        if (count > members.Count && !of.Findings.IsWrong(join.Pointer))
            of.Findings.AtValue("workflow.bad_value", join.Pointer, $"There are {members.Count} members; {count} can never complete.", $"at most {members.Count}");
        return new SwarmBody(Concurrency(of, with, names), nodes, count, Collect: with["onError"].Text != "fail") { Keyword = "call" };
    }

    private static Cursor Arguments(Compilation of, Cursor task, Shape shape)
    {
        var with = task["with"];
        if (with.IsAbsent) of.Findings.AtKey("workflow.missing_property", task.Pointer, $"A call of {task["call"].Text} needs the property 'with'.", $"with: {shape.Expected}");
        else shape.Check(with.Value, with.Pointer, of.Findings);
        return with;
    }

    private static Template Concurrency(Compilation of, Cursor with, IReadOnlyList<string> names) =>
        with["concurrency"].IsAbsent ? Template.Of(ConcurrencyDefault) : of.Template(with["concurrency"], names, Place.Kept);

    private static SpawnBody Child(Compilation of, Cursor definition, Cursor input, IReadOnlyList<string> names) =>
        new(RunCompiler.Constant(of, definition["namespace"]), RunCompiler.Constant(of, definition["name"]), RunCompiler.Constant(of, definition["version"]),
            input.IsAbsent ? null : of.Template(input, names, Place.Kept), Await: true)
        { Keyword = "call" };

    private static SwarmNode Member(Compilation of, string name, Cursor member, IReadOnlyList<int> needs, IReadOnlyList<int> dependents, IReadOnlyList<string> names)
    {
        var retry = member["retry"];
        var count = retry.Value.IsNumber ? retry.Value : retry["count"].Value;
        return new(name, Child(of, member["run"], member["input"], names), needs, dependents, count.IsNumber ? (int)count.AsNumber() : 0,
            of.Duration(retry["delay"], names), of.Duration(member["timeout"], names));
    }

    private static List<int[]> Needs(Compilation of, List<(string Key, Cursor Value)> members)
    {
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (name, _) in members) places.TryAdd(name, places.Count);
        return members.ConvertAll(member =>
        {
            var needs = new SortedSet<int>();
            foreach (var need in member.Value["needs"].Items)
            {
                if (need.Text is not { } name) continue;
                if (!places.TryGetValue(name, out var place))
                    of.Findings.AtValue("workflow.unknown_reference", need.Pointer, $"No member '{TextShape.Shorten(name)}' is in this swarm{of.Findings.Hint(name, places.Keys)}", "the name of another member");
                else needs.Add(place);
            }
            return needs.ToArray();
        });
    }

    /// <summary>Takes away what needs nothing that is left; members that stay need each other.</summary>
    private static void CheckCycles(Compilation of, List<(string Key, Cursor Value)> members, List<int[]> needs, List<List<int>> dependents)
    {
        var waits = needs.ConvertAll(n => n.Length);
        var free = new Queue<int>(Enumerable.Range(0, members.Count).Where(i => waits[i] == 0));
        while (free.TryDequeue(out var one))
            foreach (var dependent in dependents[one])
                if (--waits[dependent] == 0) free.Enqueue(dependent);
        var at = waits.FindIndex(w => w > 0);
        if (at < 0) return;
        // From any of them the way along the needs comes back to where it has been.
        var way = new List<int>();
        for (; !way.Contains(at); at = Array.Find(needs[at], n => waits[n] > 0)) way.Add(at);
        var cycle = way.Skip(way.IndexOf(at)).Append(at).Select(i => members[i].Key).ToList();
        var shown = cycle.Count <= 12 ? cycle : [.. cycle.Take(10), "…", cycle[^1]];
        of.Findings.AtValue("workflow.recursion", members[at].Value["needs"].Pointer, $"'{TextShape.Shorten(members[at].Key)}' needs itself: {string.Join(" > ", shown)}.", "members that do not need each other in a circle");
    }
}
