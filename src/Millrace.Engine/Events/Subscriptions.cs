using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Events;

/// <summary>What a record changes in who listens, in the record's own transaction: so no event falls between its beginning and its first row.</summary>
internal static class Subscriptions
{
    /// <summary>Of the events that came before a step began to listen, the last so many are looked at.</summary>
    public const int BacklogMax = 10_000;

    public static void Write(DbUnit db, RunRecord record)
    {
        // What came before is heard in the order of the log, whichever step it is for, also what the run was told of and has not read.
        SortedSet<long>? backlog = null;
        for (var i = 0; i < record.Commands.Count; i++)
        {
            if (record.Commands[i] is Command.Listen listen) (backlog ??= []).UnionWith(Begin(db, record, listen));
            else if (record.Commands[i] is Command.Deafen deafen) SubscriptionStore.End(db, record.Tenant, record.Run, deafen.Step);
        }
        if (backlog is null) return;
        backlog.UnionWith(SignalStore.TakeBackEvents(db, record.Tenant, record.Run, record.SignalsSeen));
        Tell(db, record.Tenant, record.Run, backlog, record.At);
    }

    /// <summary>Writes events into a run's inbox.</summary>
    public static void Tell(DbUnit db, Tenant tenant, Guid run, IEnumerable<long> positions, long now)
    {
        foreach (var position in positions) SignalStore.Send(db, tenant, run, "event", Json.Object("event", position), now);
    }

    /// <returns>Events that came before the step began to listen, and that it has not heard.</returns>
    private static HashSet<long> Begin(DbUnit db, RunRecord record, Command.Listen listen)
    {
        var backlog = new HashSet<long>();
        var horizon = db.Horizon;
        foreach (var key in listen.Keys)
        {
            var row = new SubscriptionRow(record.Tenant, record.Run, listen.Step, key.Type ?? "", key.Source ?? "", listen.Since) { Horizon = horizon };
            SubscriptionStore.Begin(db, row);
            backlog.UnionWith(EventStore.Missed(db, row, BacklogMax));
        }
        if (listen.Except is not null) backlog.ExceptWith(listen.Except);
        return backlog;
    }
}
