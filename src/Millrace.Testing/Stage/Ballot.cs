using Millrace.Engine.Approvals;
using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Engine.Views;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Testing.Checks;
using Millrace.Testing.Scenarios;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Testing.Stage;

/// <summary>
/// What people say in a scenario, by the same operations as over HTTP. It outlives every crash: whoever got no answer says the same about the
/// same question again.
/// </summary>
internal sealed class Ballot(World world)
{
    /// <summary>Questions of one scenario that are looked at.</summary>
    private const int QuestionsMax = 1000;

    private readonly Dictionary<ScriptItem.Decide, Guid> _about = new(ReferenceEqualityComparer.Instance);

    /// <exception cref="StageException">Nobody is asked, or what the person says is refused.</exception>
    public async Task VoteAsync(DurableEngine engine, ScriptItem.Decide said)
    {
        if (!_about.TryGetValue(said, out var id)) _about.Add(said, id = await FindAsync(engine, said));
        var vote = new ApprovalVote(said.By, said.Approves, said.Delegate, said.Comment, said.Form, engine.Approvals.Now);
        if (said.Approves is { } approves)
        {
            var row = await world.ReadAsync(db => ApprovalStore.Get(db, Tenant.Default, id));
            if (ApprovalForm.Check(row!.Form, approves, said.Form) is [var wrong, ..]) throw Refused(said, $"the form at '{wrong.Instance}': {wrong.Message}");
        }
        var (outcome, _) = await engine.Approvals.VoteAsync(Tenant.Default, id, vote);
        if (outcome is not (VoteOutcome.Taken or VoteOutcome.Repeated)) throw Refused(said, outcome switch
        {
            VoteOutcome.SaidOtherwise => "this person has said something else before",
            VoteOutcome.NotDelegable => "votes about it cannot be handed on",
            _ => "it was decided before, or nobody decided in time",
        });
    }

    /// <summary>The oldest open question of that task about which the person has said nothing.</summary>
    private async Task<Guid> FindAsync(DurableEngine engine, ScriptItem.Decide said)
    {
        var open = await world.ReadAsync(db => ApprovalStore.List(db, Tenant.Default, new ApprovalFilter([ApprovalState.Open], null, null, QuestionsMax))
            .ConvertAll(row => (Row: row, Run: RunStore.Get(db, Tenant.Default, row.Run)!, Votes: ApprovalStore.Votes(db, Tenant.Default, row.Id))));
        var asked = new List<string>();
        foreach (var (row, run, votes) in open.OrderBy(q => q.Row.Id))
        {
            var task = await TaskAsync(engine, run, row.Step);
            asked.Add(task.Name);
            if (said.Task != task.Name && said.Task != task.Reference) continue;
            if (Matching.Like(said.Show, row.Ask.Show) && !votes.Exists(v => v.Person == said.By)) return row.Id;
        }
        throw Refused(said, asked.Count == 0 ? "nobody is asked anything at that moment" : $"it asks nothing that this person could answer; questions are open of {string.Join(", ", asked.Distinct())}");
    }

    private async Task<Node> TaskAsync(DurableEngine engine, RunRow run, int step)
    {
        var history = new RunHistory(world.Workflow(run.Hash), run.Id);
        foreach (var record in await engine.Journal.AfterAsync(Tenant.Default, run.Id, -1)) history.Apply(record);
        return history.Steps[step].Node;
    }

    private static StageException Refused(ScriptItem.Decide said, string why) => new($"decide: what {said.By} says about '{said.Task}' is refused: {why}");
}
