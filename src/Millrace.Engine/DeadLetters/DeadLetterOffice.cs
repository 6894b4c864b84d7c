using Millrace.Engine.Events;
using Millrace.Engine.Execution;
using Millrace.Engine.Forks;
using Millrace.Engine.Scheduling;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows.Graph;

namespace Millrace.Engine.DeadLetters;

/// <summary>How trying again ended.</summary>
/// <param name="Run">The run that goes on or begins; null for a schedule.</param>
/// <param name="Refusal">Why it cannot be tried again: the letter stays. Null when it is gone.</param>
public sealed record Requeued(DeadLetter Letter, Guid? Run, string? Refusal);

/// <summary>Tries again what was put aside.</summary>
public sealed class DeadLetterOffice
{
    private readonly Worker _worker;

    internal DeadLetterOffice(Worker worker) => _worker = worker;

    /// <summary>A run goes on in a fork from where it failed, an event starts its run, a schedule is due again. The letter goes when that is on disk.</summary>
    public Task<Requeued> RequeueAsync(DeadLetter letter) => letter.Kind switch
    {
        DeadLetterKind.Run => RunAsync(letter),
        DeadLetterKind.Event => EventAsync(letter),
        _ => ScheduleAsync(letter),
    };

    private async Task<Requeued> RunAsync(DeadLetter letter)
    {
        try
        {
            // The key makes a second try after a crash the same one.
            var outcome = await ForkRun.ForkAsync(_worker, new ForkRequest(letter.Tenant, Guid.Parse(letter.Subject), new ForkPoint.Failure())
            {
                Reason = "taken from the dead letters",
                IdempotencyKey = $"dead-letter:{letter.Subject}:{letter.LastAt}",
                RequestHash = "dead-letter",
            });
            return outcome switch
            {
                ForkOutcome.Started started => await GoneAsync(letter, started.Run),
                ForkOutcome.Existing existing => await GoneAsync(letter, existing.Run),
                ForkOutcome.Refused refused => new Requeued(letter, null, refused.Why.Detail),
                _ => new Requeued(letter, null, "The run is there no more."),
            };
        }
        catch (Exception e) when (e is not StorageUnavailableException)
        {
            // Its journal or its definition still cannot be read.
            return new Requeued(letter, null, e.Message);
        }
    }

    private async Task<Requeued> EventAsync(DeadLetter letter)
    {
        var target = letter.Target!.Value;
        var position = await _worker.Database.ReadAsync(db => EventStore.Find(db, letter.Tenant, target[0].AsString(), target[1].AsString()));
        if (position is null || await _worker.Events.ReadAsync(letter.Tenant, position.Value) is not { } envelope) return new Requeued(letter, null, "The event is there no more.");
        try
        {
            if (await _worker.Definitions.ByHashAsync(letter.Tenant, target[5].AsString()) is not { } workflow) return new Requeued(letter, null, "The definition is there no more.");
            // One that gathers several events looks at it once more; it may start no run alone.
            var run = workflow.Trigger is { Gathers: true } ? null : await new Triggers(_worker).StartAsync(letter.Tenant, workflow, envelope, _worker.Now);
            if (run is null && workflow.Trigger is not { Gathers: true }) return new Requeued(letter, null, "The event does not start the definition's runs.");
            var begun = await _worker.Database.WriteAsync(db =>
            {
                if (!DeadLetterStore.Discard(db, letter.Tenant, letter.Id)) return false;
                if (run is not null) run.Insert(db, new StartingEvents(1, [StartingEvent.Of(position.Value, envelope)]));
                else GatheringStore.Post(db, letter.Tenant, workflow.Id, position.Value);
                return true;
            });
            if (begun) await _worker.Wakes.CallAsync();
            return new Requeued(letter, begun ? run?.Row.Id : null, begun ? null : "Somebody else has dealt with it.");
        }
        catch (Exception e) when (e is not StorageUnavailableException)
        {
            return new Requeued(letter, null, e.Message);
        }
    }

    private async Task<Requeued> ScheduleAsync(DeadLetter letter)
    {
        var now = _worker.Now;
        var found = await _worker.Database.WriteAsync(db =>
        {
            var name = letter.Subject.Split('/', 2);
            if (ScheduleStore.Lock(db, letter.Tenant, ScheduleRow.IdOf(letter.Tenant, name[0], name[1])) is not { Paused: false } row) return false;
            ScheduleStore.Update(db, row with { NextAt = now }, now);
            DeadLetterStore.Discard(db, letter.Tenant, letter.Id);
            return true;
        });
        _worker.Schedules.Call(0);
        return new Requeued(letter, null, found ? null : "The schedule is paused or there no more.");
    }

    private async Task<Requeued> GoneAsync(DeadLetter letter, Guid run)
    {
        await _worker.Database.WriteAsync(db => DeadLetterStore.Discard(db, letter.Tenant, letter.Id));
        return new Requeued(letter, run, null);
    }
}
