using Millrace.Workflows.Documents;
using Millrace.Workflows.Schedules;

namespace Millrace.Workflows.Tests.Documents;

public sealed class ScheduleDocumentTests
{
    [Fact]
    public void A_schedule_and_its_policy_are_read()
    {
        var result = Load("cron: '*/15 8-18 * * MON-FRI'",
            "{timeZone: Europe/Berlin, overlap: bufferOne, catchUp: {window: PT1H, mode: all}, jitter: PT1M, input: {n: 1}}");
        Assert.Empty(result.Diagnostics);
        var schedule = result.Workflow!.Schedule!;
        Assert.Equal(("*/15 8-18 * * MON-FRI", "Europe/Berlin", Overlap.BufferOne, CatchUp.All), (schedule.Cron, schedule.TimeZone, schedule.Overlap, schedule.CatchUp));
        Assert.Equal((TimeSpan.FromHours(1), TimeSpan.FromMinutes(1)), (schedule.Window, schedule.Jitter));
        Assert.Equal(1, schedule.Input["n"].AsNumber());
        Assert.Equivalent(schedule, WorkflowSchedule.Of(schedule.Source));
    }

    [Theory]
    [InlineData("every: PT1H")]
    [InlineData("every: {minutes: 5}")]
    [InlineData("after: PT10M")]
    [InlineData("cron: 0 0 * * *")]
    [InlineData("cron: '*/10 * * * * *'")]
    [InlineData("cron: '0 12 L * *'")]
    [InlineData("cron: '@daily'")]
    public void Each_way_of_saying_when_can_run(string schedule)
    {
        var result = Load(schedule, "{}");
        Assert.Empty(result.Diagnostics);
        Assert.True(result.IsExecutable);
        Assert.NotNull(result.Workflow!.Schedule);
    }

    [Theory]
    [InlineData("every: PT0.5S", "{}", "/schedule/every", "at least one second")]
    [InlineData("every: '${ .x }'", "{}", "/schedule/every", "written out")]
    [InlineData("every: P1M", "{}", "/schedule/every", "no duration")]
    [InlineData("every: PT1M, cron: 0 0 * * *", "{}", "/schedule/cron", "one schedule")]
    [InlineData("", "{}", "/schedule", "needs one of")]
    [InlineData("cron: 61 0 * * *", "{}", "/schedule/cron", "no cron expression")]
    [InlineData("cron: hello", "{}", "/schedule/cron", "no cron expression")]
    [InlineData("cron: '* * * *'", "{}", "/schedule/cron", "no cron expression")]
    [InlineData("cron: 0 0 30 2 *", "{}", "/schedule/cron", "ever comes")]
    [InlineData("cron: 0 0 * * *", "{timeZone: Mars/Base}", "/document/metadata/schedule/timeZone", "Mars/Base")]
    [InlineData("cron: 0 0 * * *", "{timeZone: ../../etc/passwd}", "/document/metadata/schedule/timeZone", "time zone")]
    [InlineData("cron: 0 0 * * *", "{overlap: never}", "/document/metadata/schedule/overlap", "not allowed")]
    [InlineData("cron: 0 0 * * *", "{catchup: {}}", "/document/metadata/schedule/catchup", "did you mean 'catchUp'")]
    [InlineData("cron: 0 0 * * *", "{catchUp: {mode: some}}", "/document/metadata/schedule/catchUp/mode", "not allowed")]
    [InlineData("cron: 0 0 * * *", "{catchUp: {window: soon}}", "/document/metadata/schedule/catchUp/window", "no duration")]
    [InlineData("cron: 0 0 * * *", "{jitter: PT2H}", "/document/metadata/schedule/jitter", "at most one hour")]
    [InlineData("every: PT1M", "{jitter: PT2M}", "/document/metadata/schedule/jitter", "one tick to the next")]
    [InlineData("after: PT1M", "{overlap: skip}", "/document/metadata/schedule/overlap", "beside 'after'")]
    [InlineData("every: PT1M", "{input: {n: x}}", "/document/metadata/schedule/input", "does not fit")]
    [InlineData("every: PT1M", "{input: {m: 1}}", "/document/metadata/schedule/input", "does not fit")]
    public void What_is_wrong_is_told_where_it_stands(string schedule, string policy, string pointer, string message)
    {
        var result = Load(schedule, policy, "input: {schema: {document: {properties: {n: {type: number}, m: false}}}}\n");
        var found = Assert.Single(result.Diagnostics);
        Assert.Equal((Severity.Error, pointer), (found.Severity, found.Pointer));
        Assert.Contains(message, found.Message, StringComparison.Ordinal);
        Assert.True(found.Line > 0);
        Assert.False(result.IsExecutable);
    }

    [Fact]
    public void Runs_that_could_only_fail_are_refused_at_the_schedule()
    {
        var result = Load("every: PT1M", "{}", "input: {schema: {document: {required: [n]}}}\n");
        Assert.Equal("/schedule", Assert.Single(result.Diagnostics).Pointer);
    }

    [Fact]
    public void Metadata_of_somebody_else_is_left_alone()
    {
        var result = WorkflowLoader.Load("""
            document: {dsl: '1.0.3', namespace: test, name: job, version: '1.0.0', metadata: {schedule: whenever}}
            do: [{a: {set: {x: 1}}}]
            """);
        Assert.Empty(result.Diagnostics);
        Assert.Null(result.Workflow!.Schedule);
    }

    [Fact]
    public void A_schedule_by_events_has_no_times()
    {
        var result = Load("on: {one: {with: {type: order}}}", "{}");
        Assert.Empty(result.Diagnostics);
        Assert.Null(result.Workflow!.Schedule);
        Assert.NotNull(result.Workflow.Trigger);
    }

    [Fact]
    public void Events_may_start_runs_beside_a_time()
    {
        var result = Load("every: PT1H, on: {one: {with: {type: order}}}", "{overlap: skip}");
        Assert.Empty(result.Diagnostics);
        Assert.Equal((TimeSpan.FromHours(1), Overlap.Skip), (result.Workflow!.Schedule!.Every, result.Workflow.Schedule.Overlap));
        Assert.NotNull(result.Workflow.Trigger);
    }

    private static LoadResult Load(string schedule, string policy, string head = "") => WorkflowLoader.Load($$"""
        document: {dsl: '1.0.3', namespace: test, name: job, version: '1.0.0', metadata: {schedule: {{policy}} } }
        schedule: { {{schedule}} }
        {{head}}do: [{a: {set: {x: 1} } }]
        """);
}
