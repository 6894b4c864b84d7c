using Millrace.Jq;
using Millrace.Workflows.Graph;
using static Millrace.Workflows.Documents.Dsl;

namespace Millrace.Workflows.Documents;

/// <summary>What the arguments of <c>map</c> and <c>swarm</c> may look like.</summary>
internal static class SpawnShapes
{
    /// <summary>Members of one swarm at most.</summary>
    public const int NodesMax = 10_000;

    public static readonly Shape Version = new TextShape("a version such as 1.0.0, latest, or a range such as ^1.2, ~1.2, 1.x or >=1 <2",
        t => VersionRange.IsOne(t) || VersionRange.Parse(t) is not null || t.Contains("${", StringComparison.Ordinal));

    private static readonly Shape Definition = new ObjectShape("a definition", Must("namespace", Text), Must("name", Text), Must("version", Version));

    private static readonly Shape Percentage = new TextShape("a number of items, a percentage such as 5%, or a runtime expression in ${ }",
        t => Expression.IsEnclosed(t) || (t.EndsWith('%') && double.TryParse(t.AsSpan(0, t.Length - 1), System.Globalization.NumberStyles.AllowDecimalPoint, System.Globalization.CultureInfo.InvariantCulture, out var n) && n <= 100));

    private static readonly Shape Pages = new ObjectShape("a collection that is made while it is walked",
        Must("first", Any), Must("items", Enclosed), Must("next", Enclosed));

    private static readonly Shape MapErrors = new EitherShape("fail, collect, or an object with tolerate",
        new ChoiceShape("fail", "collect"),
        new ObjectShape("a tolerance", Must("tolerate", new EitherShape("a number of items, a percentage such as 5%, or a runtime expression in ${ }", new WholeShape(0, 1e9), Percentage))));

    private static readonly Shape Tasks = new NamedListShape("a list of at least one named task", "a task", DslTasks.Task, 1);

    public static readonly Shape Map = new ObjectShape("the arguments of map",
        Must("in", new EitherShape("a list, a runtime expression in ${ }, or an object with first, items and next", new AnyShape("a list", JsonKind.Array), Enclosed, Pages)),
        Must("do", new EitherShape("a definition, or a list of at least one task", Definition, Tasks)), May("input", Any), May("each", Flag), May("key", Enclosed), May("onError", MapErrors),
        May("results", new ChoiceShape("inline", "reference", "none")), May("chunk", Count(ChildrenBody.ChunkMax)), May("concurrency", Count(ChildrenBody.ConcurrencyMax)))
        .Rule((map, pointer, findings) =>
        {
            if (map.Has("chunk") && map.TryGet("in", out var from) && from.IsObject)
                findings.AtKey("workflow.conflict", Pointer.Of(pointer, "chunk"), "What one cursor gives is one chunk; 'chunk' cuts a list.");
        });

    private static readonly Shape Member = new ObjectShape("a member of a swarm",
        Must("run", Definition), May("input", Any), May("needs", new ListShape("a list of the names of other members", Name)),
        May("retry", new EitherShape("a number of retries, or an object with count and delay", new WholeShape(0, 100),
            new ObjectShape("a retry", Must("count", new WholeShape(0, 100)), May("delay", Dsl.Duration)))),
        May("timeout", Dsl.Duration));

    public static readonly Shape Swarm = new ObjectShape("the arguments of swarm",
        Must("nodes", new MapShape("an object with at least one member", Member, 1)),
        May("join", new EitherShape("all, any, or a number of members", new ChoiceShape("all", "any"), new WholeShape(1, NodesMax))),
        May("onError", new ChoiceShape("fail", "collect")), May("concurrency", Count(ChildrenBody.ConcurrencyMax)));

    private static EitherShape Count(int max) => new($"a whole number from 1 to {max}, or a runtime expression in ${{ }}", new WholeShape(1, max), Enclosed);
}
