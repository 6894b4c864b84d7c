using Millrace.Workflows;

namespace Millrace.Simulation.Programs;

/// <summary>Tasks one after another, with the directives that move about among them.</summary>
internal sealed record Block(IReadOnlyList<Node> Nodes)
{
    public string Text => $"[ {string.Join(", ", Nodes.Select(n => n.Text))} ]";

    /// <param name="from">The task it begins with.</param>
    public Outcomes Ends(Library library, int n, int from = 0)
    {
        var ends = new Outcomes();
        // Each place with the numbers that may arrive there; directives only lead forwards.
        var arriving = Nodes.Select(_ => new SortedSet<int>()).Append([]).ToList();
        arriving[from].Add(n);
        for (var place = 0; place < Nodes.Count; place++)
        {
            foreach (var number in arriving[place])
            {
                var one = Nodes[place].Ends(library, number);
                if (one.IsAny) return Outcomes.Any();
                ends.Add(one.Errors).Add(one.Ends);
                foreach (var value in one.Values) Go(place, value);
            }
        }

        return ends.Add(arriving[^1].Select(Outcome.Value));

        void Go(int place, int value)
        {
            var then = Nodes[place] is SwitchNode choice ? choice.Then(value) : "continue";
            if (then == "end") ends.Add(Outcome.End(value));
            else if (then == "exit") arriving[^1].Add(value);
            else if (then == "continue") arriving[place + 1].Add(value);
            else arriving[Nodes.TakeWhile(n => n.Name != then).Count()].Add(value);
        }
    }
}

internal sealed record DoNode(string Name, Block Tasks) : Node(Name)
{
    protected override string Body => $"\"do\": {Tasks.Text}";

    protected override Outcomes Does(Library library, int n) => Tasks.Ends(library, n);
}

internal sealed record ForNode(string Name, int Times, Block Tasks) : Node(Name)
{
    protected override string Body => Inv($"\"for\": {{ \"each\": \"item\", \"in\": \"${{ [range({Times})] }}\" }}, \"do\": {Tasks.Text}");

    protected override Outcomes Does(Library library, int n)
    {
        var ends = new Outcomes();
        IEnumerable<int> numbers = [n];
        for (var i = 0; i < Times; i++)
        {
            var after = new SortedSet<int>();
            foreach (var number in numbers)
            {
                var one = Tasks.Ends(library, number);
                if (one.IsAny) return Outcomes.Any();
                ends.Add(one.Errors).Add(one.Ends);
                after.UnionWith(one.Values);
            }

            numbers = after;
        }

        return ends.Add(numbers.Select(Outcome.Value));
    }
}

/// <summary>Branches side by side. Joined, their numbers are added; in competition, the first that succeeds gives its own.</summary>
internal sealed record ForkNode(string Name, bool Competes, IReadOnlyList<Node> Branches) : Node(Name)
{
    protected override string Body
    {
        get
        {
            var branches = string.Join(", ", Branches.Select(b => b.Text));
            return Competes
                ? $"\"fork\": {{ \"compete\": true, \"branches\": [ {branches} ] }}"
                : Inv($"\"fork\": {{ \"branches\": [ {branches} ] }}, \"output\": {{ \"as\": \"${{ {{ n: (([.[].n] | add) % {Modulus}) }} }}\" }}");
        }
    }

    protected override Outcomes Does(Library library, int n)
    {
        // A branch that is skipped gives what came in; it does not win a competition.
        var entered = Competes ? Branches.Where(b => !b.Skips(n)).ToList() : Branches;
        if (entered.Count == 0) return Outcomes.Of(Outcome.Value(n));
        var branches = entered.Select(b => b.Ends(library, n)).ToList();
        if (branches.Exists(b => b.IsAny)) return Outcomes.Any();
        var ends = Outcomes.Of(branches.SelectMany(b => b.Ends));
        if (Competes)
        {
            ends.Add(branches.SelectMany(b => b.Values).Select(Outcome.Value));
            if (branches.TrueForAll(b => b.HasError)) ends.Add(branches.SelectMany(b => b.Errors));
            return ends;
        }

        ends.Add(branches.SelectMany(b => b.Errors));
        HashSet<int> sums = [0];
        foreach (var branch in branches)
        {
            sums = Sums(sums, [.. branch.Values]);
            if (sums.Count > Outcomes.Most) return Outcomes.Any();
        }
        return ends.Add(sums.Select(Outcome.Value));
    }

    /// <summary>One of each, until there are too many.</summary>
    private static HashSet<int> Sums(HashSet<int> one, List<int> other)
    {
        var sums = new HashSet<int>();
        foreach (var value in one)
        {
            foreach (var more in other) sums.Add((value + more) % Modulus);
            if (sums.Count > Outcomes.Most) break;
        }
        return sums;
    }
}

/// <param name="Only">The type of error it catches; null for every one.</param>
/// <param name="Retries">How often it tries again; 0 for not.</param>
/// <param name="Handler">What it does then; without one, after retries, the error goes on.</param>
internal sealed record TryNode(string Name, Block Tasks, string? Only, int Retries, int DelayMs, Block? Handler) : Node(Name)
{
    protected override string Body
    {
        get
        {
            var parts = new List<string>();
            if (Only is not null) parts.Add($"\"errors\": {{ \"with\": {{ \"type\": \"{Only}\" }} }}");
            if (Retries > 0) parts.Add(Inv($"\"retry\": {{ \"delay\": {{ \"milliseconds\": {DelayMs} }}, \"backoff\": {{ \"exponential\": {{ }} }}, \"limit\": {{ \"attempt\": {{ \"count\": {Retries} }} }} }}"));
            if (Handler is not null) parts.Add($"\"do\": {Handler.Text}");
            return $"\"try\": {Tasks.Text}, \"catch\": {{ {string.Join(", ", parts)} }}";
        }
    }

    protected override Outcomes Does(Library library, int n)
    {
        var tried = Tasks.Ends(library, n);
        if (tried.IsAny) return Outcomes.Any();
        var ends = Outcomes.Of(tried.All.Where(o => o.Ending != Ending.Error));
        var caught = tried.Errors.Where(e => Only is null || e.Type == Only).ToList();
        ends.Add(tried.Errors.Except(caught));
        if (caught.Count == 0) return ends;
        if (Handler is not null) return ends.Add(Handler.Ends(library, n));
        // Without a handler, an error that was not tried again is taken for handled: what came in goes out.
        return Retries > 0 ? ends.Add(caught) : ends.Add(Outcome.Value(n));
    }

    public static string TimeoutsOnly => ErrorTypes.Timeout;
}
