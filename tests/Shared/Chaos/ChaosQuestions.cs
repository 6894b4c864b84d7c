using System.Text.Json;

namespace Millrace.Tests.Chaos;

/// <summary>Whether every question was settled once, by the votes that were acknowledged, and its run went on with what was decided.</summary>
internal sealed class ChaosQuestions(ChaosCluster cluster, ChaosClients clients)
{
    private readonly List<string> _complaints = [];

    private sealed record Question(Guid Id, string Run, long State);

    /// <param name="Said">0 no, 1 yes, 2 another says it for them.</param>
    private sealed record Vote(Guid Approval, string Person, long Said, long At);

    public int Asked { get; private set; }
    public IReadOnlyList<string> Complaints => _complaints;

    public async Task JudgeAsync(IReadOnlyDictionary<string, ChaosRow> rows, CancellationToken cancel)
    {
        var questions = (await cluster.QueryAsync("select id, run, state from approval", r => new Question(r.GetGuid(0), r.GetGuid(1).ToString(), r.GetInt64(2)), cancel)).ToLookup(q => q.Run);
        var votes = (await cluster.QueryAsync("select approval, person, vote, at from approval_vote", r => new Vote(r.GetGuid(0), r.GetString(1), r.GetInt64(2), r.GetInt64(3)), cancel))
            .OrderBy(v => v.At).ToLookup(v => v.Approval);
        var said = clients.Voters.Said.ToLookup(s => s.Approval);
        foreach (var (number, id) in clients.Acknowledged)
        {
            if (clients.Of(number).Ask is not { } ask || !rows.TryGetValue(id, out var row) || row.State < 4) continue;
            var asked = questions[id].ToList();
            if (asked.Count == 0 && ask.IsWithdrawn) continue;
            Asked++;
            if (asked.Count != 1)
            {
                _complaints.Add($"run {number}, {id}, is {row.StateName} and has asked {asked.Count} questions");
                continue;
            }
            var wrong = WrongVotes(asked[0], [.. votes[asked[0].Id]], [.. said[asked[0].Id]], ask).Concat(await WrongEndsAsync(row, asked[0], [.. votes[asked[0].Id]], ask, cancel));
            foreach (var what in wrong) _complaints.Add($"question {asked[0].Id} of run {number}, {id} ({row.Name}, {row.StateName}): {what}; told {string.Join(", ", said[asked[0].Id])}; kept {string.Join(", ", votes[asked[0].Id])}; state {asked[0].State}");
        }
    }

    private static IEnumerable<string> WrongVotes(Question question, List<Vote> votes, List<ChaosVote> said, ChaosAsk ask)
    {
        foreach (var told in said)
        {
            var kept = votes.Find(v => v.Person == told.Person);
            if (told.Counts && kept?.Said != (told.Approves ? 1 : 0)) yield return $"{told.Person} was told that the vote counts, and it is not kept";
            else if (!told.Counts && told.IsSure && kept is not null) yield return $"{told.Person} was told that it is too late, and the vote is kept";
        }
        var decided = OutcomeOf(votes, ask);
        if (decided != ChaosAsk.Open && decided != question.State) yield return $"the votes come to {decided}";
        if (decided == ChaosAsk.Open && !(ask.Expires && question.State == ChaosAsk.Rejected) && !(ask.IsWithdrawn && question.State == ChaosAsk.Cancelled)) yield return "the votes decide nothing";
        if (votes.FindLast(v => v.Said != 2) is { } last && OutcomeOf(votes.FindAll(v => v != last), ask) != ChaosAsk.Open) yield return "a vote was taken after it was decided";
    }

    private async Task<List<string>> WrongEndsAsync(ChaosRow row, Question question, List<Vote> votes, ChaosAsk ask, CancellationToken cancel)
    {
        if (row.State == ChaosRow.Faulted) return question.State == ChaosAsk.Rejected ? [] : ["its run faulted, and nobody said no"];
        if (row.State != ChaosRow.Completed) return [];
        var output = JsonDocument.Parse(await clients.GetAsync($"api/v1/runs/{row.Id}/output", cancel)).RootElement;
        var (outcome, expired) = (output.GetProperty("outcome").GetString(), output.TryGetProperty("expired", out var e) && e.GetBoolean());
        var wrong = new List<string>();
        if (outcome != (question.State == ChaosAsk.Approved ? "approved" : "rejected")) wrong.Add($"its run went on as {outcome}");
        if (expired != (OutcomeOf(votes, ask) == ChaosAsk.Open)) wrong.Add($"its run says expired: {expired}");
        var heard = output.GetProperty("decisions").EnumerateArray().Select(d => (By: d.GetProperty("by").GetString()!, Says: d.GetProperty("decision").GetString() == "approve" ? 1L : 0L)).Order();
        if (!heard.SequenceEqual(votes.Where(v => v.Said != 2).Select(v => (By: v.Person, Says: v.Said)).Order())) wrong.Add($"its run heard {output}");
        return wrong;
    }

    private static long OutcomeOf(List<Vote> votes, ChaosAsk ask) => ask.Outcome(votes.Count(v => v.Said == 1), votes.Count(v => v.Said == 0));
}
