using Millrace.Testing.Virtual;

namespace Millrace.Simulation.Programs;

/// <summary>Makes random programs: every construct of the language that the engine knows, nested a few levels deep.</summary>
/// <param name="more">Whether there are subscriptions, and where: in a quarter of all worlds, and the others are as they were before there were any.</param>
internal sealed class Generator(Dice dice, Dice more)
{
    /// <summary>A program whose runs are soon there no more. Nothing else refers to them.</summary>
    public const string Brief = "brief";

    /// <summary>A program that maps carry out for items that have names.</summary>
    public const string KeyedProgram = "keyed";

    private const int DepthMax = 3;

    /// <summary>Chains within chains: of three, each run of which starts children that are chains, there are hundreds of runs, one after the other.</summary>
    private const int ChainsMax = 2;

    private static readonly string[] Effects = ["count", "count", "count", "once", "parts", "big"];

    private readonly Library _library = new();
    private readonly bool _subscribes = more.Chance(0.25);

    /// <summary>Programs that start no children in numbers: those of children's children would be beyond all bounds.</summary>
    private readonly List<string> _plain = [];

    /// <summary>Such programs that no batch carries out: an input of a batch cannot go on as another run.</summary>
    private readonly List<string> _single = [];

    /// <summary>How many chains stand within each other below a run of a program, its own among them.</summary>
    private readonly Dictionary<string, int> _chains = new(StringComparer.Ordinal);

    private int _below;
    private bool _spawns;
    private bool _continues;

    /// <summary>How the program at hand goes on as another run; null: it does not.</summary>
    private ContinueNode? _endless;

    private int _names;
    private int _budget;

    /// <summary>A few programs; the later ones may start the earlier ones as children.</summary>
    public Library Make(int programs)
    {
        for (var i = 0; i < programs; i++)
        {
            _budget = dice.Between(4, 24);
            _endless = dice.Chance(0.2) ? new ContinueNode("", $"p{i}", dice.Between(1, 4), dice.Between(1, 9), dice.Below(Node.Modulus), dice.Chance(0.5)) : null;
            var block = Block(0);
            if (_endless is { } last && !_continues) block = new Block([.. block.Nodes, last with { Name = Name() }]);
            _library.Add(WithNewer(new RandomProgram($"p{i}", block, dice.Chance(0.1) ? dice.Between(2_000, 60_000) : 0)
            {
                Timing = Timing.Roll(dice),
                Times = _endless?.Times ?? 0,
                GoesOnAsLatest = _endless is { AsLatest: true },
                IsPutAside = dice.Chance(0.2),
                Extensions = Extension.Roll(dice),
                Flow = Flow.Roll(dice),
            }));
            if (!_spawns) _single.Add($"p{i}");
            if (!_spawns && _endless is null) _plain.Add($"p{i}");
            _chains[$"p{i}"] = _below + (_endless is null ? 0 : 1);
            (_spawns, _continues, _below) = (false, false, 0);
        }

        if (dice.Chance(0.25)) _library.Add(new RandomProgram(Brief, new Block([new SetNode(Name(), 3, 1), new CallNode(Name(), dice.Of(Effects), dice.Below(Node.Modulus)), new StubbornNode(Name(), dice.Below(Node.Modulus), 1, 500), new SwitchNode(Name(), ["continue", "exit"]), new RaiseNode(Name(), "tea")]), 0) { KeptMs = dice.Between(1_000, 4_000) });
        return _library;
    }

    /// <summary>Some programs are changed while runs of them are under way. Events that wait for others to start a run with are forgotten by a change.</summary>
    private RandomProgram WithNewer(RandomProgram program)
    {
        if (!dice.Chance(0.35) || program.Timing is { By: Begins.Events }) return program;
        var nodes = program.Block.Nodes.Select(n => n is SetNode set && dice.Chance(0.4) ? set with { Plus = dice.Below(Node.Modulus) } : n).ToList();
        var named = nodes.OfType<SwitchNode>().SelectMany(s => s.Cases).ToHashSet();
        if (nodes.Count > 1 && dice.Chance(0.25) && dice.Of(nodes) is var left && !named.Contains(left.Name)) nodes.Remove(left);
        if (dice.Chance(0.6)) nodes.Insert(dice.Below(nodes.Count + 1), Other(Name()));
        if (dice.Chance(0.15)) nodes[0] = Other(nodes[0].Name);
        nodes.Add(Other(Name()));
        return program with { Newer = program with { Version = ProgramRef.Second, Block = new Block(nodes) } };
    }

    private Node Other(string name) => dice.Below(5) switch
    {
        0 => new SetNode(name, dice.Between(1, 9), dice.Below(Node.Modulus)),
        1 => new WaitNode(name, dice.Between(1, 3_000)),
        2 => new RaiseNode(name, "cocoa") { SkippedBy = 2 },
        _ => new CallNode(name, dice.Of(Effects), dice.Below(Node.Modulus)),
    };

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
        if (dice.Chance(0.12)) node = node with { Undo = Undo() };
        return node;
    }

    private Undo Undo() => new(dice.Below(Node.Modulus), dice.Chance(0.3) ? dice.Between(1, 4_000) : 0, dice.Chance(0.2) ? dice.Between(1, 2) : 0, dice.Chance(0.2));

    private Node Simple()
    {
        if (_subscribes && more.Chance(0.1)) return new SubscribeNode(Name(), more.Between(0, 4), more.Chance(0.5), more.Below(Node.Modulus));
        var roll = dice.Below(100);
        if (roll < 38) return new CallNode(Name(), dice.Of(Effects), dice.Below(Node.Modulus));
        if (roll < 41) return new EmitNode(Name(), dice.Of(Events.Types));
        if (roll < 45) return Listen();
        if (roll < 48) return Ask();
        if (roll < 60) return new SetNode(Name(), dice.Between(1, 9), dice.Below(Node.Modulus));
        if (roll < 75) return new WaitNode(Name(), dice.Chance(0.2) ? dice.Between(5_000, 30_000) : dice.Between(1, 3_000));
        if (roll < 85) return new StubbornNode(Name(), dice.Below(Node.Modulus), dice.Between(1, 3), dice.Between(1, 3_000));
        if (roll < 86 && _endless is { } endless)
        {
            _continues = true;
            return endless with { Name = Name() };
        }
        if (roll < 90) return new CallNode(Name(), "hang", dice.Below(Node.Modulus)) { TimeoutMs = dice.Between(50, 8_000) };
        if (roll < 94) return new RaiseNode(Name(), dice.Chance(0.5) ? "tea" : "coffee");
        return _library.All.Count == 0 ? new SetNode(Name(), 1, 1) : new ChildNode(Name(), Ref(Child(_library.All.Select(p => p.Name))));
    }

    private Node Composite(int depth) => dice.Below(10) switch
    {
        0 or 1 => new DoNode(Name(), Block(depth)),
        2 or 3 => new ForNode(Name(), dice.Between(0, 4), Block(depth)),
        4 or 5 => new ForkNode(Name(), false, Branches(depth)),
        6 => new ForkNode(Name(), true, Branches(depth)),
        8 when _plain.Count > 0 => dice.Chance(0.6) ? Map() : Swarm(),
        7 when _library.All.Count > 0 => new ForkNode(Name(), false, [.. Enumerable.Range(0, dice.Between(2, 4)).Select(_ => new ChildNode(Name(), Ref(Child(_library.All.Select(p => p.Name)))))]),
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
        return new ListenNode(Name(), what, dice.Of(Events.Types), dice.Between(1, 3), dice.Below(Node.Modulus), dice.Of(Enum.GetValues<Reads>())) { TimeoutMs = what is Hears.Forever ? dice.Between(500, 8_000) : 0 };
    }

    private AskNode Ask() => new(Name(), dice.Between(1, 3), dice.Chance(0.5), dice.Chance(0.6), dice.Of(Enum.GetValues<Silence>()), dice.Between(500, 20_000))
    {
        EscalateMs = dice.Chance(0.4) ? dice.Between(500, 8_000) : 0,
        IsPersonal = dice.Chance(0.3),
        HasForm = dice.Chance(0.3),
    };

    private MapNode Map()
    {
        _spawns = true;
        var kind = dice.Of(Enum.GetValues<Chunks>());
        // What one cursor gives is a chunk, and a chunk with single items is a batch.
        var cursor = kind != Chunks.Single && dice.Chance(0.3);
        var keyed = kind != Chunks.Whole && !cursor && dice.Chance(0.5);
        var tolerates = dice.Chance(0.35) ? dice.Chance(0.5) ? $"{dice.Below(3)}" : $"\"{dice.Of([20, 50, 100])}%\"" : null;
        return new MapNode(Name(), Ref(keyed ? Keyed() : Child(kind == Chunks.Whole ? _single : _plain)), dice.Between(0, 7), dice.Between(1, 3), kind, dice.Between(1, 4), tolerates is not null || dice.Chance(0.5), cursor, !keyed && dice.Chance(0.3))
        {
            Tolerates = tolerates,
            IsKeyed = keyed,
        };
    }

    /// <summary>A program that the one at hand starts: one whose chains do not stand too deep in others, or the first.</summary>
    private string Child(IEnumerable<string> programs)
    {
        var most = ChainsMax - (_endless is null ? 0 : 1);
        var all = programs.ToList();
        var name = dice.Of(all.Where(p => _chains.GetValueOrDefault(p) <= most).DefaultIfEmpty(all[0]).ToList());
        _below = Math.Max(_below, _chains.GetValueOrDefault(name));
        return name;
    }

    /// <summary>That program: its first version, or the newest of all or of some.</summary>
    private ProgramRef Ref(string program) => new(program, dice.Of([ProgramRef.First, ProgramRef.Latest, "^1", ">=1.0.0 <2"]));

    /// <summary>A program of which everything follows from what it is started on, so that an item's name says what is done for it. It may fail the first time.</summary>
    private string Keyed()
    {
        if (_library.All.Any(p => p.Name == KeyedProgram)) return KeyedProgram;
        var set = new SetNode("k1", dice.Between(1, 9), dice.Below(Node.Modulus));
        _library.Add(new RandomProgram(KeyedProgram, new Block([set, new CallNode("k2", "named", 1), new CallNode("k3", "moody", dice.Below(Node.Modulus)), new CallNode("k4", "named", 2)]), 0));
        return KeyedProgram;
    }

    private SwarmNode Swarm()
    {
        _spawns = true;
        var needs = Enumerable.Range(0, dice.Between(1, 5)).Select(i => (IReadOnlyList<int>)[.. Enumerable.Range(0, i).Where(_ => dice.Chance(0.3))]).ToList();
        return new SwarmNode(Name(), Ref(Child(_single)), needs, dice.Between(1, 4), dice.Chance(0.6), dice.Chance(0.3) ? dice.Between(1, needs.Count) : 0, dice.Chance(0.2) ? 1 : 0)
        {
            MemberMs = dice.Chance(0.25) ? dice.Between(200, 10_000) : 0,
        };
    }

    private string Name() => $"t{++_names}";
}
