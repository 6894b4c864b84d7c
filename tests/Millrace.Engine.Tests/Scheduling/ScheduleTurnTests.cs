using System.Globalization;
using Millrace.Engine.Scheduling;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Schedules;

namespace Millrace.Engine.Tests.Scheduling;

/// <summary>What one schedule decides at one moment; no database, no clock.</summary>
public sealed class ScheduleTurnTests
{
    [Fact]
    public void A_tick_starts_one_run_and_the_next_is_awaited()
    {
        var row = Row("""{"cron": "0 8 * * *"}""", "{}", "2026-03-02T00:00:00Z");
        Assert.Equal("2026-03-02T08:00:00Z", Text(row.NextAt));
        Assert.Empty(At(row, "2026-03-02T07:59:59Z").Starts);
        var turn = At(row, "2026-03-02T08:00:00Z");
        Assert.Equal(["2026-03-02T08:00:00Z"], Ticks(turn));
        Assert.Equal("2026-03-03T08:00:00Z", Text(turn.Row.NextAt));
        Assert.Empty(At(turn.Row, "2026-03-02T08:00:01Z").Starts);
    }

    [Theory]
    // The clocks of Berlin go from 2:00 to 3:00 on 29 March, and from 3:00 back to 2:00 on 25 October.
    [InlineData("30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z 2026-03-30T00:30:00Z")]
    [InlineData("30 2 * * *", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z 2026-10-26T01:30:00Z")]
    [InlineData("0 9 * * *", "2026-03-28T00:00:00Z", "2026-03-28T08:00:00Z 2026-03-29T07:00:00Z")]
    [InlineData("0 9 * * *", "2026-10-24T00:00:00Z", "2026-10-24T07:00:00Z 2026-10-25T08:00:00Z")]
    [InlineData("*/30 * * * *", "2026-03-29T00:15:00Z", "2026-03-29T00:30:00Z 2026-03-29T01:00:00Z 2026-03-29T01:30:00Z")]
    [InlineData("*/30 * * * *", "2026-10-25T00:15:00Z", "2026-10-25T00:30:00Z 2026-10-25T01:00:00Z 2026-10-25T01:30:00Z 2026-10-25T02:00:00Z")]
    public void Fault_15_daylight_saving_neither_loses_a_tick_nor_doubles_one(string cron, string from, string expected)
    {
        var row = Row($$"""{"cron": "{{cron}}"}""", """{"timeZone": "Europe/Berlin"}""", from);
        Assert.Equal(expected, string.Join(' ', ScheduleControl.Coming(row, expected.Split(' ').Length).Select(t => Text(t.Tick))));
    }

    [Theory]
    [InlineData("latest", "PT12H", "2026-01-04T00:00:00Z")]
    [InlineData("all", "PT3H", "2026-01-03T21:00:00Z 2026-01-03T22:00:00Z 2026-01-03T23:00:00Z 2026-01-04T00:00:00Z")]
    [InlineData("latest", "PT20M", "")]
    [InlineData("all", "PT20M", "")]
    [InlineData("none", "P30D", "")]
    public void Fault_15_after_three_days_of_downtime_it_makes_up_for_what_its_policy_says(string mode, string window, string expected)
    {
        var row = Row("""{"cron": "0 * * * *"}""", $$"""{"catchUp": {"mode": "{{mode}}", "window": "{{window}}"} }""", "2026-01-01T00:00:00Z");
        var ticks = new List<string>();
        var turn = At(row, expected.Length == 0 ? "2026-01-04T00:30:00Z" : "2026-01-04T00:00:00Z");
        ticks.AddRange(Ticks(turn));
        Assert.Equal(expected, string.Join(' ', ticks));
        Assert.Equal("2026-01-04T01:00:00Z", Text(turn.Row.NextAt));
        Assert.Equal((72 - ticks.Count, "2026-01-04T00:00:00Z"), (turn.Row.Skipped, Text(turn.Row.LastTick)));
    }

    [Fact]
    public void A_tick_a_little_late_is_on_time_even_where_nothing_is_made_up_for()
    {
        var row = Row("""{"every": "PT1H"}""", """{"catchUp": {"mode": "none"}}""", "2026-01-01T00:00:00Z");
        Assert.Single(At(row, "2026-01-01T01:00:09Z").Starts);
        Assert.Empty(At(row, "2026-01-01T01:00:11Z").Starts);
    }

    [Fact]
    public void Every_second_for_ninety_days_is_caught_up_with_in_few_turns()
    {
        foreach (var (mode, turnsMax, starts) in (ReadOnlySpan<(string, int, int)>)[("latest", 3, 11), ("none", 3, 11), ("all", 37, 3601)])
        {
            var row = Row("""{"every": "PT1S"}""", $$"""{"catchUp": {"mode": "{{mode}}", "window": "PT1H"} }""", "2026-01-01T00:00:00Z");
            var (turns, started) = (0, 0);
            while (row.NextAt <= Micros("2026-04-01T00:00:00Z"))
            {
                var turn = At(row, "2026-04-01T00:00:00Z");
                (row, turns, started) = (turn.Row, turns + 1, started + turn.Starts.Count);
            }
            Assert.True(turns <= turnsMax, $"{mode} took {turns} turns");
            Assert.Equal(starts, started);
        }
    }

    [Fact]
    public void The_latest_of_a_season_that_is_over_is_made_up_for()
    {
        var row = Row("""{"cron": "0 6 * 1 *"}""", """{"catchUp": {"window": "P365D"}}""", "2026-01-10T00:00:00Z");
        Assert.Equal(["2026-01-31T06:00:00Z"], Ticks(At(row, "2026-06-01T00:00:00Z")));
    }

    [Fact]
    public void Skipping_starts_nothing_while_a_run_is_under_way()
    {
        var first = At(Row("""{"every": "PT1M"}""", """{"overlap": "skip"}""", "2026-01-01T00:00:00Z"), "2026-01-01T00:01:00Z");
        var second = At(first.Row, "2026-01-01T00:02:00Z");
        Assert.Empty(second.Starts);
        Assert.Equal(1, second.Row.Skipped);
        Assert.Empty(Ended(second.Row, first.Starts[0].Run, "2026-01-01T00:02:30Z").Starts);
        Assert.Single(At(Ended(second.Row, first.Starts[0].Run, "2026-01-01T00:02:30Z").Row, "2026-01-01T00:03:00Z").Starts);
    }

    [Fact]
    public void One_tick_waits_for_the_run_under_way_and_others_are_skipped()
    {
        var first = At(Row("""{"every": "PT1M"}""", """{"overlap": "bufferOne"}""", "2026-01-01T00:00:00Z"), "2026-01-01T00:01:00Z");
        var third = At(At(first.Row, "2026-01-01T00:02:00Z").Row, "2026-01-01T00:03:00Z");
        Assert.Equal(("2026-01-01T00:02:00Z", 1L), (Text(third.Row.Buffered), third.Row.Skipped));
        var then = Ended(third.Row, first.Starts[0].Run, "2026-01-01T00:03:30Z");
        Assert.Equal(["2026-01-01T00:02:00Z"], Ticks(then));
        Assert.Equal((then.Starts[0].Run, null), (then.Row.Running, then.Row.Buffered));
        // The end of a run that it does not wait for changes nothing.
        Assert.Equal(then.Row, Ended(then.Row, first.Starts[0].Run, "2026-01-01T00:03:40Z").Row);
    }

    [Fact]
    public void Cancelling_the_other_waits_for_its_end_so_that_the_two_never_meet()
    {
        var first = At(Row("""{"every": "PT1M"}""", """{"overlap": "cancelOther"}""", "2026-01-01T00:00:00Z"), "2026-01-01T00:01:00Z");
        var second = At(first.Row, "2026-01-01T00:02:00Z");
        Assert.Empty(second.Starts);
        Assert.Equal(first.Starts[0].Run, second.Cancel);
        Assert.Equal(["2026-01-01T00:02:00Z"], Ticks(Ended(second.Row, first.Starts[0].Run, "2026-01-01T00:02:01Z")));
    }

    [Fact]
    public void After_counts_from_the_end_of_the_run()
    {
        var row = Row("""{"after": "PT10M"}""", "{}", "2026-01-01T00:00:00Z");
        Assert.Equal("2026-01-01T00:10:00Z", Text(row.NextAt));
        var first = At(row, "2026-01-01T00:10:00Z");
        Assert.Null(first.Row.NextAt);
        Assert.Equal("2026-01-01T05:10:00Z", Text(Ended(first.Row, first.Starts[0].Run, "2026-01-01T05:00:00Z").Row.NextAt));
    }

    [Fact]
    public void Jitter_is_the_same_for_the_same_tick_and_spreads_the_schedules()
    {
        var rows = Enumerable.Range(0, 50).Select(i => Row("""{"cron": "0 * * * *"}""", """{"jitter": "PT10M"}""", "2026-01-01T00:00:00Z", $"job{i}")).ToList();
        Assert.All(rows, r => Assert.InRange(r.NextAt!.Value, Micros("2026-01-01T01:00:00Z"), Micros("2026-01-01T01:10:00Z") - 1));
        Assert.True(rows.Select(r => r.NextAt).Distinct().Count() > 45);
        Assert.All(rows, r => Assert.Equal(Micros("2026-01-01T01:00:00Z"), r.NextTick));
        Assert.Equal(rows[0].NextAt, Row("""{"cron": "0 * * * *"}""", """{"jitter": "PT10M"}""", "2026-01-01T00:30:00Z", "job0").NextAt);
    }

    [Fact]
    public void A_clock_that_goes_back_starts_nothing_twice()
    {
        var first = At(Row("""{"every": "PT1M"}""", "{}", "2026-01-01T00:00:00Z"), "2026-01-01T00:01:00Z");
        Assert.Empty(At(first.Row, "2025-12-31T23:00:00Z").Starts);
        Assert.Empty(At(first.Row, "2026-01-01T00:01:00Z").Starts);
        Assert.Single(At(first.Row, "2026-01-01T00:02:00Z").Starts);
    }

    private static ScheduleRow Row(string schedule, string policy, string now, string name = "job")
    {
        var row = new ScheduleRow
        {
            Tenant = Tenant.Default,
            Id = ScheduleRow.IdOf(Tenant.Default, "test", name),
            Definition = new WorkflowId("test", name, "1.0.0"),
            Hash = "",
            Schedule = WorkflowSchedule.Of(JsonText.Parse(schedule), JsonText.Parse(policy)),
            Anchor = Micros(now),
        };
        var turn = new ScheduleTurn(row, Micros(now), Guid.NewGuid);
        turn.Restart();
        return turn.Row;
    }

    private static ScheduleTurn At(ScheduleRow row, string now)
    {
        var turn = new ScheduleTurn(row, Micros(now), Guid.NewGuid);
        turn.Tick();
        return turn;
    }

    private static ScheduleTurn Ended(ScheduleRow row, Guid run, string at)
    {
        var turn = new ScheduleTurn(row, Micros(at), Guid.NewGuid);
        turn.Ended(run, Micros(at));
        return turn;
    }

    private static IEnumerable<string> Ticks(ScheduleTurn turn) => turn.Starts.Select(s => Text(s.Tick)!);

    private static long Micros(string time) => (DateTimeOffset.Parse(time, CultureInfo.InvariantCulture) - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    private static string? Text(long? micros) =>
        micros is { } m ? DateTimeOffset.UnixEpoch.AddTicks(m * TimeSpan.TicksPerMicrosecond).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture) : null;
}
