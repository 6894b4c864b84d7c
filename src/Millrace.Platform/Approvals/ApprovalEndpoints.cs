using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Millrace.Engine.Approvals;
using Millrace.Engine.Execution;
using Millrace.Jq;
using Millrace.Platform.Http;
using Millrace.Storage;
using Millrace.Workflows.Kernel;

namespace Millrace.Platform.Approvals;

/// <summary>Routes under <c>/approvals</c>: what people are asked, and what they say.</summary>
internal static class ApprovalEndpoints
{
    private const int BodyMax = 128 << 10;
    private const int FormBytesMax = 64 << 10;
    private const int NameMax = 200;
    private const int CommentMax = 4000;

    public static void MapApprovals(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("/approvals").WithTags("Approvals");
        group.MapGet("", ListAsync).WithName("ListApprovals").WithSummary("What people are asked, newest first.")
            .Query("state", "Only those in this state; may be repeated.", repeated: true).Query("run", "Only those of this run.").Paged().Refuses(400);
        group.MapGet("/{id}", GetAsync).WithName("GetApproval").WithSummary("One question, and what people have said.").Refuses(404);
        group.MapPost("/{id}/decisions", DecideAsync).WithName("Decide").WithSummary("Say yes or no; answered when it is on disk. The same once more is answered as before.")
            .Accepts<DecisionBody>("application/json").Produces<Approval>(200).Refuses(400, 404, 409, 413, 415, 422, 503);
        group.MapPost("/{id}/delegation", DelegateAsync).WithName("DelegateApproval").WithSummary("Hand one's vote to another person.")
            .Accepts<DelegationBody>("application/json").Produces<Approval>(200).Refuses(400, 404, 409, 413, 415, 503);
        group.MapPost("/{id}/links", LinkAsync).WithName("LinkApproval").WithSummary("Make a link with which whoever has it decides in a person's name. Its token is told this once.")
            .Accepts<LinkBody>("application/json").Produces<ApprovalLink>(201).Refuses(400, 404, 409, 413, 415, 503);
        group.MapGet("/link/{token}", GetLinkAsync).WithName("GetLinkedApproval").WithSummary("The question a link leads to.").Produces<Approval>(200).Refuses(404);
        group.MapPost("/link/{token}", DecideLinkAsync).WithName("DecideByLink").WithSummary("Say yes or no with a link.")
            .Accepts<DecisionBody>("application/json").Produces<Approval>(200).Refuses(400, 404, 409, 413, 415, 422, 503);
    }

    private static async Task<Ok<Page<Approval>>> ListAsync(HttpRequest request, Database database, Tenant tenant, CancellationToken cancel)
    {
        var query = new QueryReader(request);
        var (states, run, limit) = (query.Many<ApprovalState>("state"), query.Id("run"), query.Limit);
        var before = Cursor.Parse(query.Cursor, "approvals", 1)?[0] is { } id ? Cursor.ParseId(id) : (Guid?)null;
        query.NoMore();
        var found = await database.ReadAsync(db => ApprovalStore.List(db, tenant, new ApprovalFilter(states, run, before, limit + 1))
            .ConvertAll(row => Approval.Of(row, ApprovalStore.Votes(db, tenant, row.Id))), cancel);
        return TypedResults.Ok(Page.Of(found, limit, a => Cursor.Of("approvals", a.Id.ToString())));
    }

    private static async Task<Ok<Approval>> GetAsync(string id, HttpRequest request, Database database, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        return TypedResults.Ok(await ViewAsync(database, tenant, ParseId(id), cancel));
    }

    private static async Task<Ok<Approval>> DecideAsync(string id, HttpRequest request, DurableEngine engine, Database database, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        return TypedResults.Ok(await TakeAsync(ParseId(id), null, request, engine, database, tenant, cancel));
    }

    private static async Task<Ok<Approval>> DelegateAsync(string id, HttpRequest request, DurableEngine engine, Database database, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var approval = ParseId(id);
        var shape = new BodyShape(await RequestBody.JsonAsync(request, BodyMax, cancel));
        var (by, to, comment) = (NameOf(shape, "by"), NameOf(shape, "to"), shape.OptionalText("comment", CommentMax));
        if (by == to && by.Length > 0) shape.Refuse("to", "Nobody hands a vote to themselves.");
        shape.NoMore();
        shape.ThrowIfWrong();
        return TypedResults.Ok(await VoteAsync(approval, new ApprovalVote(by, null, to, comment, Json.Null, engine.Approvals.Now), engine, database, tenant, cancel));
    }

    private static async Task<Created<ApprovalLink>> LinkAsync(string id, HttpRequest request, DurableEngine engine, Database database, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var approval = ParseId(id);
        var shape = new BodyShape(await RequestBody.JsonAsync(request, BodyMax, cancel));
        var person = NameOf(shape, "for");
        shape.NoMore();
        shape.ThrowIfWrong();
        if (await engine.Approvals.LinkAsync(tenant, approval, person) is not { } token)
        {
            var found = await ViewAsync(database, tenant, approval, cancel);
            throw found.State == ApprovalState.Open
                ? Problem.Conflict("approval.too_many_links", "There are too many links.", $"A question has at most {ApprovalControl.LinksMax} links.")
                : Closed(found);
        }
        var url = $"/api/v1/approvals/link/{token}";
        return TypedResults.Created(url, new ApprovalLink(token, url, $"/approvals/link/{token}", person));
    }

    private static async Task<IResult> GetLinkAsync(string token, HttpRequest request, HttpResponse response, DurableEngine engine, Database database, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        response.Headers.CacheControl = "no-store";
        var (approval, _) = await FindLinkAsync(token, engine, tenant, cancel);
        return TypedResults.Ok(await ViewAsync(database, tenant, approval, cancel));
    }

    private static async Task<IResult> DecideLinkAsync(string token, HttpRequest request, HttpResponse response, DurableEngine engine, Database database, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        response.Headers.CacheControl = "no-store";
        var (approval, person) = await FindLinkAsync(token, engine, tenant, cancel);
        return TypedResults.Ok(await TakeAsync(approval, person, request, engine, database, tenant, cancel));
    }

    /// <param name="person">In whose name a link decides; null when the body says who.</param>
    private static async Task<Approval> TakeAsync(Guid approval, string? person, HttpRequest request, DurableEngine engine, Database database, Tenant tenant, CancellationToken cancel)
    {
        var shape = new BodyShape(await RequestBody.JsonAsync(request, BodyMax, cancel));
        var by = person is null ? NameOf(shape, "by") : shape.OptionalText("by", NameMax) ?? person;
        var (decision, comment, form, hash) = (shape.RequiredText("decision", 20), shape.OptionalText("comment", CommentMax), shape.Any("form") ?? Json.Null, shape.OptionalText("hash", 64));
        if (decision.Length > 0 && decision is not ("approve" or "reject")) shape.Refuse("decision", $"'{decision}' is no decision.", "approve or reject");
        if (person is not null && by != person) shape.Refuse("by", $"This link decides in the name of {person}.", person);
        if (!form.IsNull && JsonText.ToUtf8(form).Length > FormBytesMax) shape.Refuse("form", $"It has more than {FormBytesMax} bytes.");
        shape.NoMore();
        shape.ThrowIfWrong();
        var found = await ViewAsync(database, tenant, approval, cancel);
        if (hash is not null && hash != found.Hash)
            throw Problem.Conflict("approval.other_content", "It is about something else.", $"The decision is bound to {found.Hash}; the one that was sent is for {hash}.");
        CheckForm(found, decision == "approve", form);
        return await VoteAsync(approval, new ApprovalVote(by, decision == "approve", null, comment, form, engine.Approvals.Now), engine, database, tenant, cancel);
    }

    private static void CheckForm(Approval approval, bool approves, Json form)
    {
        var errors = ApprovalForm.Check(approval.Form, approves, form);
        if (errors.Count == 0) return;
        if (approval.Form is null) throw Problem.Body400([new ProblemError { Code = "request.body", Message = errors[0].Message, Pointer = "/form" }]);
        var told = errors.Select(e => new ProblemError { Code = "form." + e.Keyword, Message = e.Message, Pointer = "/form" + e.Instance, Schema = e.Schema }).ToList();
        throw new Problem(422, "approval.form_invalid", "The form is not filled in as it should be.", Problem.Summarise(told), told);
    }

    private static async Task<Approval> VoteAsync(Guid approval, ApprovalVote vote, DurableEngine engine, Database database, Tenant tenant, CancellationToken cancel)
    {
        var (outcome, _) = await engine.Approvals.VoteAsync(tenant, approval, vote);
        var found = await ViewAsync(database, tenant, approval, cancel);
        return outcome switch
        {
            VoteOutcome.Taken or VoteOutcome.Repeated => found,
            VoteOutcome.SaidOtherwise => throw Problem.Conflict("approval.said_otherwise", "This person has said something else.", $"{vote.Person} has said '{found.Decisions.First(d => d.By == vote.Person).Decision}' before, and what was said stays."),
            VoteOutcome.NotDelegable => throw Problem.Conflict("approval.not_delegable", "Votes cannot be handed on.", "The workflow wants each person to decide for themselves."),
            VoteOutcome.Closed => throw Closed(found),
            _ => throw NotFound(approval.ToString()),
        };
    }

    private static Problem Closed(Approval found) => Problem.Conflict("approval.closed", "The question is not open any more.", found.State switch
    {
        ApprovalState.Cancelled => "Its step ended without a decision: the run, or the branch it stands in, came to an end.",
        ApprovalState.Open or ApprovalState.Expired => "Nobody had decided in time.",
        _ => $"It was {found.State.ToString().ToLowerInvariant()} before.",
    });

    private static async Task<(Guid Approval, string Person)> FindLinkAsync(string token, DurableEngine engine, Tenant tenant, CancellationToken cancel) =>
        await engine.Approvals.FindLinkAsync(tenant, token, cancel) ?? throw Problem.NotFound("approval.link_not_found", "There is no such link.", "The link is not known here: it may have been cut short on its way.");

    private static async Task<Approval> ViewAsync(Database database, Tenant tenant, Guid id, CancellationToken cancel) =>
        await database.ReadAsync(db => ApprovalStore.Get(db, tenant, id) is { } row ? Approval.Of(row, ApprovalStore.Votes(db, tenant, id)) : null, cancel) ?? throw NotFound(id.ToString());

    private static string NameOf(BodyShape shape, string member)
    {
        var name = shape.RequiredText(member, NameMax);
        if (name.Contains('\0')) shape.Refuse(member, "A name has no null characters.");
        return name;
    }

    private static Guid ParseId(string id) => Guid.TryParseExact(id, "D", out var approval) ? approval : throw NotFound(id);

    private static Problem NotFound(string id) => Problem.NotFound("approval.not_found", "There is no such question.", $"Nobody is asked anything under {id}: a step asks when it begins, not before.");
}
