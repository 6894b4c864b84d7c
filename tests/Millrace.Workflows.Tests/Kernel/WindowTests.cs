using Millrace.Jq;
using Millrace.Workflows.Documents;
using Millrace.Workflows.Kernel;

namespace Millrace.Workflows.Tests.Kernel;

/// <summary>The window of children as the state machine sees it, without any disk.</summary>
public sealed class WindowTests
{
    private const string Do = "do: { namespace: test, name: child, version: latest }";

    private readonly List<(Entry Entry, long At)> _journal = [];
    private readonly Dictionary<Guid, Json> _asked = [];
    private readonly HashSet<Guid> _cancelled = [];
    private long _now = 1_700_000_000_000_000;
    private RunState _state = null!;
    private Decision _decision = null!;

    private void Start(string with, Json input, string then = "")
    {
        var loaded = WorkflowLoader.Load($"document: {{ dsl: 1.0.3, namespace: test, name: test, version: 1.0.0 }}\ndo:\n- all: {{ call: 'map:1.0.0@default', with: {{ {Do}, {with} }} }}\n{then}");
        Assert.True(loaded.IsExecutable, string.Join("\n", loaded.Diagnostics));
        _state = new RunState(loaded.Workflow!, Guid.CreateVersion7());
        _decision = new Decision(_state, new Surroundings(Guid.CreateVersion7, () => 0.5) { EntriesMax = 200 });
        var created = new Entry.RunCreated(input);
        _state.Apply(created, _now);
        _journal.Add((created, _now));
        Decide(d => d.Begin());
    }

    /// <summary>As the actor does: one record after the other until there is nothing more to decide.</summary>
    private void Decide(Action<Decision> happened)
    {
        happened(_decision.At(++_now));
        while (true)
        {
            _journal.AddRange(_decision.Entries.Select(e => (e, _now)));
            foreach (var command in _decision.Commands)
            {
                if (command is Command.Spawn spawn) _asked.Add(spawn.Child, spawn.Input);
                else if (command is Command.CancelChild cancel) _cancelled.Add(cancel.Child);
            }
            if (!_decision.HasMore) return;
            _decision.At(++_now).Continue();
        }
    }

    [Fact]
    public void Ten_thousand_ends_in_any_order_and_told_twice_count_once_each()
    {
        Start("in: '${ . }', concurrency: 1000", Json.Of(JsonArray.Of(Enumerable.Range(0, 10_000).Select(n => (Json)n).ToList())));
        var chance = new Random(7);
        var told = new List<Guid>();
        while (!_state.IsFinished)
        {
            Assert.InRange(_asked.Count - told.Count, 1, 1000);
            var open = _asked.Keys.Except(told).ToArray();
            chance.Shuffle(open);
            var some = open.Take(chance.Next(1, open.Length + 1)).ToList();
            Decide(d =>
            {
                foreach (var child in some)
                {
                    d.ChildEnded(child, RunPhase.Completed, _asked[child], null);
                    d.ChildEnded(child, RunPhase.Completed, "again", null);
                    if (told.Count > 0) d.ChildEnded(told[chance.Next(told.Count)], RunPhase.Faulted, Json.Null, new WorkflowError(ErrorTypes.Runtime, 500));
                }
            });
            told.AddRange(some);
        }
        Assert.Equal(10_000, _asked.Count);
        Assert.Equal(Enumerable.Range(0, 10_000).Select(n => (Json)n), _state.Output.AsArray());
        // Replaying the journal gives the same.
        var replayed = new RunState(_state.Workflow, _state.Id);
        foreach (var (entry, at) in _journal) replayed.Apply(entry, at);
        Assert.Equal((_state.Phase, _state.Output, _state.Counts), (replayed.Phase, replayed.Output, replayed.Counts));
    }

    [Fact]
    public void What_a_child_adds_to_the_journal_does_not_grow_with_their_number()
    {
        Start("in: '${ . }', concurrency: 1", Json.Of(JsonArray.Of(Enumerable.Range(0, 2000).Select(n => (Json)n).ToList())));
        var entries = new List<int>();
        for (var i = 0; i < 1999; i++)
        {
            var before = _journal.Count;
            Decide(d => d.ChildEnded(_asked.Keys.Last(), RunPhase.Completed, i, null));
            entries.Add(_journal.Count - before);
        }
        Assert.All(entries, count => Assert.Equal(2, count));
    }

    [Fact]
    public void Nothing_starts_while_the_run_is_suspended_and_what_ended_meanwhile_is_kept()
    {
        Start("in: [1, 2, 3, 4], concurrency: 2", Json.EmptyObject);
        Decide(d => d.Suspend(null));
        var first = _asked.Keys.First();
        Decide(d => d.ChildEnded(first, RunPhase.Completed, "a", null));
        Assert.Equal((2, RunPhase.Suspended), (_asked.Count, _state.Phase));
        Decide(d => d.Resume());
        Assert.Equal(3, _asked.Count);
    }

    [Fact]
    public void Fewer_children_at_once_let_those_under_way_end_first()
    {
        Start("in: [1, 2, 3, 4, 5, 6], concurrency: 3", Json.EmptyObject);
        Decide(d => d.ChangeConcurrency(1, 1));
        var all = _asked.Keys.ToList();
        Decide(d => d.ChildEnded(all[0], RunPhase.Completed, 1, null));
        Decide(d => d.ChildEnded(all[1], RunPhase.Completed, 1, null));
        Assert.Equal(3, _asked.Count);
        Decide(d => d.ChildEnded(all[2], RunPhase.Completed, 1, null));
        Assert.Equal(4, _asked.Count);
        Decide(d => d.ChangeConcurrency(1, 2));
        Assert.Equal(5, _asked.Count);
    }

    [Fact]
    public void A_collection_without_end_is_walked_a_budget_at_a_time()
    {
        Start("in: { first: 0, items: '${ [] }', next: '${ if $cursor < 1000 then $cursor + 1 else null end }' }", Json.EmptyObject);
        Assert.Equal((RunPhase.Completed, "[]"), (_state.Phase, _state.Output.ToString()));
        Assert.All(_journal.CountBy(e => e.At), record => Assert.InRange(record.Value, 1, 201));
    }

    [Theory]
    [InlineData("in: '${ .n }'", "'in' is 5; expected an array.")]
    [InlineData("in: [1], concurrency: '${ .n * 1000 }'", "'concurrency' is 5000; expected a whole number from 1 to 1000.")]
    [InlineData("in: [1], chunk: '${ .n / 2 }'", "'chunk' is 2.5; expected a whole number from 1 to 10000.")]
    [InlineData("in: [1], key: '${ {} }'", "'key' is {}; expected a text of 1 to 200 characters, or a number.")]
    [InlineData("in: [1], onError: { tolerate: '${ \"many\" }' }", "'onError.tolerate' is \"many\"; expected a number of items or a percentage such as \"5%\".")]
    public void Arguments_that_only_a_run_can_know_are_refused_where_they_stand(string with, string detail)
    {
        Start(with, Json.Object("n", 5));
        Assert.Equal((RunPhase.Faulted, "/do/0/all", detail), (_state.Phase, _state.Error!.Instance, _state.Error.Detail));
        Assert.Empty(_asked.Keys.Except(_cancelled));
    }
}
