using Millrace.Testing.Virtual;

namespace Millrace.Simulation.Programs;

/// <summary>Makes random programs: every construct of the language that the engine knows, nested a few levels deep.</summary>
internal sealed class Generator(Dice dice)
{
    private const int DepthMax = 3;

    private static readonly string[] Effects = ["count", "count", "count", "once", "parts", "big"];

    private readonly Library _library = new();
    /// <summary>Programs that start no children in numbers: those of children's children would be beyond all bounds.</summary>
    private readonly List<string> _plain = [];

    private bool _spawns;
    private int _names;
    private int _budget;

    /// <summary>A few programs; the later ones may start the earlier ones as children.</summary>
    public Library Make(int programs)
    {
        for (var i = 0; i < programs; i++)
        {
            _budget = dice.Between(4, 24);
            var block = Block(0);
            _library.Add(new RandomProgram($"p{i}", block, dice.Chance(0.1) ? dice.Between(2_000, 60_000) : 0) { EveryMs = dice.Chance(0.1) ? dice.Between(5_000, 20_000) : 0, Flow = Flow.Roll(dice) });
            if (!_spawns) _plain.Add($"p{i}");
            _spawns = false;
        }

        return _library;
    }

    private Block Block(int depth)
    {
        var nodes = new List<Node>();
        for (var count = dice.Between(1, depth == 0 ? 5 : 3); count > 0; count--) nodes.Add(Any(depth));
        if (nodes.Count > 1 && dice.Chance(0.3)) nodes[dice.Below(nodes.Count - 1)] = Switch(nodes, depth);
        return new Block(nodes);
    }

    /// <summary>A choice among places further on; it takes the place of one of the block's own.</summary>
    private SwitchNode Switch(List<Node> nodes, int depth)
    {
        var targets = new List<string> { "continue", "continue", "exit", nodes[^1].Name };
        if (depth == 0 && dice.Chance(0.3)) targets.Add("end");
        return new SwitchNode(Name(), [.. Enumerable.Range(0, dice.Between(2, 3)).Select(_ => dice.Of(targets))]);
    }

    private Node Any(int depth)
    {
        _budget--;
        var node = depth >= DepthMax || _budget <= 0 || dice.Chance(0.5) ? Simple() : Composite(depth + 1);
        if (dice.Chance(0.08)) node = node with { SkippedBy = dice.Between(2, 4) };
        if (dice.Chance(0.08)) node = node with { TimeoutMs = dice.Between(50, 12_000) };
        return node;
    }

    private Node Simple()
    {
        var roll = dice.Below(100);
        if (roll < 38) return new CallNode(Name(), dice.Of(Effects), dice.Below(Node.Modulus));
        if (roll < 41) return new EmitNode(Name(), dice.Of(Events.Types));
        if (roll < 45) return Listen();
        if (roll < 48) return Ask();
        if (roll < 60) return new SetNode(Name(), dice.Between(1, 9), dice.Below(Node.Modulus));
        if (roll < 75) return new WaitNode(Name(), dice.Chance(0.2) ? dice.Between(5_000, 30_000) : dice.Between(1, 3_000));
        if (roll < 85) return new StubbornNode(Name(), dice.Below(Node.Modulus), dice.Between(1, 3), dice.Between(1, 3_000));
        if (roll < 90) return new CallNode(Name(), "hang", dice.Below(Node.Modulus)) { TimeoutMs = dice.Between(50, 8_000) };
        if (roll < 94) return new RaiseNode(Name(), dice.Chance(0.5) ? "tea" : "coffee");
        return _library.All.Count == 0 ? new SetNode(Name(), 1, 1) : new ChildNode(Name(), dice.Of(_library.All.ToList()).Name);
    }

    private Node Composite(int depth) => dice.Below(10) switch
    {
        0 or 1 => new DoNode(Name(), Block(depth)),
        2 or 3 => new ForNode(Name(), dice.Between(0, 4), Block(depth)),
        4 or 5 => new ForkNode(Name(), false, Branches(depth)),
        6 => new ForkNode(Name(), true, Branches(depth)),
        8 when _plain.Count > 0 => dice.Chance(0.6) ? Map() : Swarm(),
        7 when _library.All.Count > 0 => new ForkNode(Name(), false, [.. Enumerable.Range(0, dice.Between(2, 4)).Select(_ => new ChildNode(Name(), dice.Of(_library.All.ToList()).Name))]),
        _ => Try(depth),
    };

    private List<Node> Branches(int depth) => [.. Enumerable.Range(0, dice.Between(2, 4)).Select(_ => Any(depth))];

    private TryNode Try(int depth)
    {
        var tasks = Block(depth);
        var only = dice.Chance(0.2) ? TryNode.TimeoutsOnly : null;
        var retries = dice.Chance(0.4) ? dice.Between(1, 3) : 0;
        var handler = dice.Chance(0.6) ? Block(depth) : null;
        return new TryNode(Name(), tasks, only, retries, dice.Between(1, 4_000), handler);
    }

    private ListenNode Listen()
    {
        var what = dice.Of(Enum.GetValues<Hears>());
        return new ListenNode(Name(), what, dice.Of(Events.Types), dice.Between(1, 3), dice.Below(Node.Modulus));
    }

    private AskNode Ask() => new(Name(), dice.Between(1, 3), dice.Chance(0.5), dice.Chance(0.6), dice.Of(Enum.GetValues<Silence>()), dice.Between(500, 20_000));

    private MapNode Map()
    {
        _spawns = true;
        var kind = dice.Of(Enum.GetValues<Chunks>());
        // What one cursor gives is a chunk, and a chunk with single items is a batch.
        var cursor = kind != Chunks.Single && dice.Chance(0.3);
        return new MapNode(Name(), dice.Of(_plain), dice.Between(0, 7), dice.Between(1, 3), kind, dice.Between(1, 4), dice.Chance(0.5), cursor, dice.Chance(0.3));
    }

    private SwarmNode Swarm()
    {
        _spawns = true;
        var needs = Enumerable.Range(0, dice.Between(1, 5)).Select(i => (IReadOnlyList<int>)[.. Enumerable.Range(0, i).Where(_ => dice.Chance(0.3))]).ToList();
        return new SwarmNode(Name(), dice.Of(_plain), needs, dice.Between(1, 4), dice.Chance(0.6), dice.Chance(0.3) ? dice.Between(1, needs.Count) : 0, dice.Chance(0.2) ? 1 : 0);
    }

    private string Name() => $"t{++_names}";
}
