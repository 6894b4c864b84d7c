namespace Millrace.Simulation.Programs;

/// <summary>All programs of a seed, and how runs of them may end.</summary>
internal sealed class Library
{
    /// <summary>Numbers a run may go on with beyond which it is not looked into what comes of each.</summary>
    private const int ContinuesMax = 20;

    private readonly Dictionary<string, RandomProgram> _programs = new(StringComparer.Ordinal);
    private readonly Dictionary<(ProgramRef, int, int?), Outcomes> _known = [], _own = [];

    /// <summary>What each task gives for a number: loops and branches ask for the same again and again.</summary>
    private readonly Dictionary<(int Task, int Number, int? Left), Outcomes> _tasks = [];

    private readonly Dictionary<Node, int> _numbers = new(ReferenceEqualityComparer.Instance);

    /// <summary>The first version of each.</summary>
    public IReadOnlyCollection<RandomProgram> All => _programs.Values;

    public RandomProgram this[string name] => _programs[name];

    public void Add(RandomProgram program) => _programs.Add(program.Name, program);

    /// <summary>How often the run at hand may still go on as another; null: as often as its program says.</summary>
    public int? Left { get; private set; }

    /// <summary>What a task gives for a number, found once. Nobody adds to it.</summary>
    public Outcomes Remember(Node task, int n, Func<Library, int, Outcomes> does)
    {
        if (!_numbers.TryGetValue(task, out var number)) _numbers.Add(task, number = _numbers.Count);
        if (!_tasks.TryGetValue((number, n, Left), out var known)) _tasks.Add((number, n, Left), known = does(this, n));
        return known;
    }

    /// <summary>How a run may end, seen from outside: ends by directive are values, and what it goes on as counts for it.</summary>
    public Outcomes EndsOf(ProgramRef program, int n, int? left = null)
    {
        if (_known.TryGetValue((program, n, left), out var known)) return known;
        var seen = new Outcomes();
        foreach (var version in VersionsOf(program)) seen.Add(EndsOf(version, n, left));
        _known.Add((program, n, left), seen);
        return seen;
    }

    /// <summary>How a run itself may end, which may be by going on as another.</summary>
    /// <param name="program">One version.</param>
    /// <param name="from">The task it begins with; null: the first.</param>
    public Outcomes OwnEndsOf(ProgramRef program, int n, int? left, string? from = null)
    {
        if (from is null && _own.TryGetValue((program, n, left), out var known)) return known;
        var (version, around) = (VersionsOf(program).Single(), Left);
        Left = left;
        var ends = version.Block.Ends(this, n, from is null ? 0 : version.Block.Nodes.TakeWhile(t => t.Name != from).Count());
        Left = around;
        var seen = ends.IsAny ? Outcomes.Any() : Outcomes.Of(ends.All.Select(o => o.Ending == Ending.End ? Outcome.Value(o.Number) : o));
        if (version.TimeoutMs > 0) seen.Add(Outcome.Error(Workflows.ErrorTypes.Timeout));
        if (from is null) _own.Add((program, n, left), seen);
        return seen;
    }

    /// <summary>Whether runs of the program start children in numbers.</summary>
    public bool Spawns(string name) => VersionsOf(new ProgramRef(name, ProgramRef.Latest)).Any(p => p.Text.Contains("map:1.0.0", StringComparison.Ordinal) || p.Text.Contains("swarm:1.0.0", StringComparison.Ordinal));

    private Outcomes EndsOf(RandomProgram version, int n, int? left)
    {
        var own = OwnEndsOf(new ProgramRef(version.Name, version.Version), n, left);
        var next = own.All.Where(o => o.Ending == Ending.Continue).ToList();
        if (own.IsAny || next.Count > ContinuesMax) return Outcomes.Any();
        var seen = Outcomes.Of(own.All.Except(next));
        foreach (var on in next) seen.Add(EndsOf(new ProgramRef(version.Name, version.GoesOnAsLatest ? ProgramRef.Latest : version.Version), on.Number, (left ?? version.Times) - 1));
        return seen;
    }

    /// <summary>Those that may be meant: when the newer one is pushed, nobody knows.</summary>
    private IEnumerable<RandomProgram> VersionsOf(ProgramRef program)
    {
        var first = _programs[program.Name];
        if (program.Version != ProgramRef.Second) yield return first;
        if (program.Version != ProgramRef.First && first.Newer is { } newer) yield return newer;
    }
}
