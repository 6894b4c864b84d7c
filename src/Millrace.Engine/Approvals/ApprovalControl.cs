using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Storage;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Approvals;

/// <summary>What came of a vote.</summary>
public enum VoteOutcome
{
    /// <summary>It is on disk and counts.</summary>
    Taken,

    /// <summary>The same person has said the same before.</summary>
    Repeated,

    /// <summary>The person has said something else before.</summary>
    SaidOtherwise,

    /// <summary>The question is not open any more.</summary>
    Closed,

    /// <summary>The question does not let votes be handed on.</summary>
    NotDelegable,

    NotFound,
}

/// <summary>What people say about what they are asked. Everything is answered after its commit.</summary>
public sealed class ApprovalControl
{
    /// <summary>Links of one question.</summary>
    public const int LinksMax = 1000;

    private const int TokenBytes = 32;

    private readonly Worker _worker;

    internal ApprovalControl(Worker worker) => _worker = worker;

    public long Now => _worker.Now;

    /// <summary>Keeps what a person says, tells the run, and settles the question when that is enough.</summary>
    public async Task<(VoteOutcome Outcome, ApprovalRow? Row)> VoteAsync(Tenant tenant, Guid approval, ApprovalVote vote)
    {
        var (outcome, row) = await _worker.Database.WriteAsync(db => Take(db, tenant, approval, vote));
        if (outcome == VoteOutcome.Taken) _worker.Nudge(tenant, row!.Run);
        return (outcome, row);
    }

    /// <summary>Makes a link with which whoever has it decides in the name of a person.</summary>
    /// <returns>The token, which is told this once; null when the question is not open or has too many.</returns>
    public async Task<string?> LinkAsync(Tenant tenant, Guid approval, string person)
    {
        var token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(TokenBytes));
        var made = await _worker.Database.WriteAsync(db =>
        {
            if (ApprovalStore.Get(db, tenant, approval) is not { State: ApprovalState.Open } row || ApprovalStore.CountLinks(db, row) >= LinksMax) return false;
            ApprovalStore.Link(db, row, HashOf(token), person, Now);
            return true;
        });
        return made ? token : null;
    }

    /// <summary>The question a token leads to, and in whose name it decides; null when there is none.</summary>
    public Task<(Guid Approval, string Person)?> FindLinkAsync(Tenant tenant, string token, CancellationToken cancel) => token.Length > 2 * TokenBytes
        ? Task.FromResult(default((Guid, string)?))
        : _worker.Database.ReadAsync(db => ApprovalStore.FindLink(db, tenant, HashOf(token)), cancel);

    private static (VoteOutcome, ApprovalRow?) Take(DbUnit db, Tenant tenant, Guid approval, ApprovalVote vote)
    {
        if (ApprovalStore.Get(db, tenant, approval) is not { } found) return (VoteOutcome.NotFound, null);
        // One after the other, and not while the run's row changes: what is answered here is still so when it is committed.
        if (RunStore.Lock(db, tenant, found.Run) is null || ApprovalStore.Get(db, tenant, approval) is not { } row) return (VoteOutcome.NotFound, null);
        var votes = ApprovalStore.Votes(db, tenant, approval);
        if (votes.Find(v => v.Person == vote.Person) is { } before) return (before.Repeats(vote) ? VoteOutcome.Repeated : row.State == ApprovalState.Open ? VoteOutcome.SaidOtherwise : VoteOutcome.Closed, row);
        // Who counts later was later: the clock was read before those who were first had the row. The run is due now all the same.
        var now = vote.At;
        if (votes.Count > 0) vote = vote with { At = Math.Max(vote.At, votes[^1].At + 1) };
        if (row.State != ApprovalState.Open || row.Ask.ExpireAt <= vote.At) return (VoteOutcome.Closed, row);
        if (vote.Delegate is not null && !row.Ask.MayDelegate) return (VoteOutcome.NotDelegable, row);
        votes.Add(vote);
        var state = row.Ask.Outcome(votes.Count(v => v.Approves == true), votes.Count(v => v.Approves == false));
        if (state != ApprovalState.Open && !ApprovalStore.Settle(db, row, state, vote.At)) return (VoteOutcome.Closed, ApprovalStore.Get(db, tenant, approval) ?? row);
        ApprovalStore.Vote(db, row, vote);
        SignalStore.Send(db, tenant, row.Run, "approval", Approvals.Signal(approval, vote), now);
        return (VoteOutcome.Taken, row with { State = state });
    }

    private static string HashOf(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
}
