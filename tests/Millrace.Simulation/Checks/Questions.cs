using Millrace.Engine.Approvals;
using Millrace.Simulation.World;
using Millrace.Storage;
using Millrace.Workflows.Kernel;

namespace Millrace.Simulation.Checks;

/// <summary>Every question was settled once, by the votes that were acknowledged, and its run went on with what was decided.</summary>
internal sealed class Questions(Cluster cluster, Voters voters)
{
    private sealed record Question(Guid Id, Guid Run, ApprovalState State, Ask Ask, long Reminders, bool Escalated);

    public async Task JudgeAsync(IReadOnlyDictionary<Guid, Found> runs)
    {
        var questions = await cluster.Database!.ReadAsync(db => db.Query("select id, run, state, ask, reminders, escalated from approval where workspace = $1 order by id",
            r => new Question(r.Id(0), r.Id(1), (ApprovalState)r.Long(2), Ask.FromJson(Jq.JsonText.Parse(r.Bytes(3))), r.Long(4), r.Long(5) != 0), Tenant.Default.Workspace));
        var known = questions.ToDictionary(q => q.Id);
        var kept = new Dictionary<Guid, List<ApprovalVote>>();
        foreach (var question in questions) kept.Add(question.Id, await cluster.Database!.ReadAsync(db => ApprovalStore.Votes(db, Tenant.Default, question.Id)));
        foreach (var said in voters.All)
        {
            if (!kept.TryGetValue(said.Approval, out var votes)) Wrong(said.Approval, "it was answered and is not there");
            else if (said.Counts && !votes.Exists(v => v.Repeats(said.Vote))) Wrong(said.Approval, $"{said.Vote.Person} was told that {said.Vote} counts, and it is not kept");
            else if (!said.Counts && said.IsSure && votes.Exists(v => v.Repeats(said.Vote))) Wrong(said.Approval, $"{said.Vote.Person} was told that {said.Vote} does not count, and it is kept");
        }
        foreach (var run in runs.Values)
        {
            foreach (var asked in run.Own.OfType<ApprovalEntry.Asked>())
            {
                if (!known.Remove(asked.Approval, out var question) || question.Run != run.Row.Id) Wrong(asked.Approval, $"run {run.Name} asked it, and its row is not there");
                else
                {
                    Judge(run, asked.Step, question, kept[question.Id]);
                    Told(run, asked.Step, question);
                }
            }
        }
        foreach (var question in known.Values) Wrong(question.Id, $"run {Names.Of(question.Run)} never asked it");
    }

    private void Judge(Found run, int step, Question question, List<ApprovalVote> votes)
    {
        var settled = run.Own.OfType<ApprovalEntry.Settled>().Where(s => s.Step == step).ToList();
        var decided = Outcome(question.Ask, votes);
        if (settled.Count > 1) Wrong(question.Id, $"it was settled {settled.Count} times");
        if (question.State == ApprovalState.Open) Wrong(question.Id, $"it is open, and run {run.Name} has ended");
        if (settled.Count == 1 && settled[0].State != question.State) Wrong(question.Id, $"run {run.Name} went on as if it were {settled[0].State}; it is {question.State}");
        if (decided != ApprovalState.Open && decided != question.State) Wrong(question.Id, $"it is {question.State}; its votes say {decided}");
        if (votes.FindLast(v => v.Approves is not null) is { } last && Outcome(question.Ask, votes.FindAll(v => v != last)) != ApprovalState.Open) Wrong(question.Id, $"{last.Person} was heard after it was decided");
        if (decided == ApprovalState.Open && settled.Count == 0 && question.State != ApprovalState.Cancelled) Wrong(question.Id, $"it is {question.State}, and nobody and nothing decided it");
        if (decided != ApprovalState.Open || settled.Count == 0) return;
        var expected = question.Ask.Expiry switch { Workflows.Graph.Expiry.Approve => ApprovalState.Approved, Workflows.Graph.Expiry.Reject => ApprovalState.Rejected, _ => ApprovalState.Expired };
        if (question.Ask.ExpireAt is null || question.State != expected) Wrong(question.Id, $"nobody decided it and its time does not say so, and it is {question.State}");
    }

    /// <summary>People were reminded at intervals and more were asked once, in time, and only while it was open; the row says the same.</summary>
    private void Told(Found run, int step, Question question)
    {
        var (ask, reminders, escalated, open, at) = (question.Ask, 0L, false, true, 0L);
        foreach (var record in run.OwnRecords)
        {
            foreach (var entry in record.Entries.OfType<ApprovalEntry>().Where(e => e.Step == step))
            {
                if (entry is ApprovalEntry.Asked) at = record.At;
                else if (entry is ApprovalEntry.Settled) open = false;
                else if (!open && entry is (ApprovalEntry.Reminded or ApprovalEntry.Escalated)) Wrong(question.Id, "it went on to be told of after it was settled");
                if (entry is ApprovalEntry.Reminded reminded)
                {
                    if (reminded.Count != ++reminders || record.At < at + ask.RemindEvery) Wrong(question.Id, $"reminder {reminded.Count} came {(record.At - at) / 1000} ms after the last, as the {reminders}.");
                    at = record.At;
                }
                if (entry is not ApprovalEntry.Escalated) continue;
                if (escalated || record.At < ask.EscalateAt) Wrong(question.Id, "more people were asked twice, or too early");
                escalated = true;
            }
        }
        if (question.Reminders != reminders || question.Escalated != escalated) Wrong(question.Id, $"it says {question.Reminders} reminders and {question.Escalated}, its run {reminders} and {escalated}");
        if (!ask.MayDelegate && run.Own.OfType<ApprovalEntry.Delegated>().Any(d => d.Step == step)) Wrong(question.Id, "a vote was handed on that could not be");
    }

    /// <summary>By counting, with none of the engine's code.</summary>
    private static ApprovalState Outcome(Ask ask, List<ApprovalVote> votes)
    {
        if (votes.Count(v => v.Approves == false) >= (ask.RejectsByQuorum ? ask.Quorum : 1)) return ApprovalState.Rejected;
        return votes.Count(v => v.Approves == true) >= ask.Quorum ? ApprovalState.Approved : ApprovalState.Open;
    }

    private void Wrong(Guid approval, string what) => cluster.Scheduler.Fail($"question {Names.Of(approval)}: {what}");
}
