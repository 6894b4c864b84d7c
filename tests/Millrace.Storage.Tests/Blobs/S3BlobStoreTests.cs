using System.Net;
using System.Security.Cryptography;
using Millrace.Storage.Blobs;
using Millrace.Tests.Servers;

namespace Millrace.Storage.Tests.Blobs;

public sealed class S3BlobStoreTests : BlobStoreTests, IClassFixture<S3Gate>, IDisposable
{
    private const int Large = (40 << 20) + 7;
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private readonly S3Gate _gate;
    private readonly S3Options _options;
    private readonly S3BlobStore _store;
    private readonly HttpClient _anybody = new();

    public S3BlobStoreTests(S3Gate gate)
    {
        _gate = gate;
        _options = gate.NewOptions();
        _store = new S3BlobStore(_options);
    }

    protected override BlobStore Store => _store;

    public void Dispose()
    {
        _store.Dispose();
        _anybody.Dispose();
    }

    [Fact]
    public async Task A_blob_is_an_object_under_the_prefix_and_its_name()
    {
        await _store.PutAsync("abc"u8.ToArray());
        Assert.Equal([_options.Prefix + "ba/7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"], await _gate.KeysAsync(_options.Prefix));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Large_content_goes_in_parts(bool streamed)
    {
        var content = RandomNumberGenerator.GetBytes(Large);
        var blob = streamed ? await _store.PutAsync(new MemoryStream(content), Large) : await _store.PutAsync(content);
        Assert.Equal(3, _gate.Requests.Count(r => r.Contains("partNumber=", StringComparison.Ordinal)));
        Assert.Empty(_gate.Uploads);
        Assert.Equal(content, await _store.ReadAsync(blob));

        _gate.Requests.Clear();
        Assert.Equal(blob, await _store.PutAsync(new MemoryStream(content), Large));
        Assert.All(_gate.Requests, r => Assert.StartsWith("HEAD ", r, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Exactly_one_part_goes_in_one_request()
    {
        await _store.PutAsync(new byte[16 << 20]);
        Assert.Single(_gate.Requests, r => !r.StartsWith("HEAD", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_part_that_cannot_be_sent_aborts_the_upload()
    {
        _gate.Refuse = r => r.Contains("partNumber=3", StringComparison.Ordinal) ? 500 : null;
        var fault = (await Assert.ThrowsAsync<StorageUnavailableException>(() => _store.PutAsync(new byte[Large]))).Fault;
        Assert.Equal((StorageFault.Io, true), (fault.Code, fault.Recoverable));
        Assert.Empty(_gate.Uploads);
        Assert.Equal(0, await KeptAsync());
        Assert.Equal(3, _gate.Requests.Count(r => r.Contains("partNumber=3", StringComparison.Ordinal)));
        _gate.Refuse = _ => null;
        var blob = await _store.PutAsync(new byte[Large]);
        Assert.True(await _store.ExistsAsync(blob));
    }

    [Fact]
    public async Task A_cancelled_upload_is_aborted()
    {
        using var cancel = new CancellationTokenSource();
        _gate.Before = r => r.Contains("partNumber=2", StringComparison.Ordinal) ? cancel.CancelAsync() : Task.CompletedTask;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _store.PutAsync(new byte[Large], cancel.Token));
        Assert.Empty(_gate.Uploads);
        Assert.Equal(0, await KeptAsync());
    }

    [Fact]
    public async Task A_put_whose_last_answer_was_lost_has_succeeded()
    {
        // The parts become the object, the answer is cut off, and trying again finds no such upload.
        _gate.CutAfter = r => r.StartsWith("POST", StringComparison.Ordinal) && r.Contains("uploadId=", StringComparison.Ordinal) ? 10 : null;
        var content = RandomNumberGenerator.GetBytes(Large);
        var blob = await _store.PutAsync(content);
        Assert.Equal(content, await _store.ReadAsync(blob));
    }

    [Fact]
    public async Task A_failure_that_passes_is_tried_again()
    {
        var refused = 0;
        _gate.Refuse = r => r.StartsWith("PUT", StringComparison.Ordinal) && refused++ < 2 ? 503 : null;
        var blob = await _store.PutAsync("abc"u8.ToArray());
        Assert.True(await _store.ExistsAsync(blob));
    }

    [Fact]
    public async Task Reading_goes_on_where_the_connection_broke()
    {
        var content = RandomNumberGenerator.GetBytes(2_000_000);
        var blob = await _store.PutAsync(content);
        var cuts = 0;
        _gate.CutAfter = r => r.StartsWith("GET", StringComparison.Ordinal) && cuts++ < 3 ? 400_000 : null;
        Assert.Equal(content, await _store.ReadAsync(blob));
        Assert.Equal(4, _gate.Requests.Count(r => r.StartsWith("GET", StringComparison.Ordinal)));

        _gate.CutAfter = r => r.StartsWith("GET", StringComparison.Ordinal) ? 100_000 : null;
        var fault = (await Assert.ThrowsAsync<StorageUnavailableException>(() => _store.ReadAsync(blob))).Fault;
        Assert.Equal(StorageFault.Io, fault.Code);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_told_as_such()
    {
        var nowhere = S3Options.Parse($"s3://blobs?endpoint=http://127.0.0.1:{LoopbackPort.Free()}", "key", "secret");
        using var store = new S3BlobStore(nowhere);
        var blob = new BlobRef(new string('a', 64), 1);
        foreach (var call in new Func<Task>[] { () => store.PutAsync(new byte[1]), () => store.PutAsync(new MemoryStream(1), 1), () => store.OpenAsync(blob), () => store.ExistsAsync(blob) })
            Assert.Equal((StorageFault.Io, true), await FaultOfAsync(call));
    }

    [Fact]
    public async Task A_server_that_answers_nothing_is_given_up()
    {
        using var silent = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var store = new S3BlobStore(new S3Options
        {
            Bucket = "blobs",
            Endpoint = new Uri($"http://{silent.LocalEndpoint}"),
            PathStyle = true,
            AccessKey = "key",
            SecretKey = "secret",
            Timeout = TimeSpan.FromMilliseconds(300),
        });
        Assert.Equal((StorageFault.Io, true), await FaultOfAsync(() => store.PutAsync(new byte[1])));
    }

    [Fact]
    public async Task A_wrong_key_a_wrong_secret_and_a_missing_bucket_are_told_as_such()
    {
        S3Options With(string bucket, string key, string secret) => S3Options.Parse($"s3://{bucket}?endpoint={_gate.Address}", key, secret);
        foreach (var options in new[] { With(S3Server.Bucket, "nobody", _options.SecretKey), With(S3Server.Bucket, _options.AccessKey, "wrong"), With("elsewhere", _options.AccessKey, _options.SecretKey) })
        {
            using var store = new S3BlobStore(options);
            Assert.Equal((StorageFault.Io, true), await FaultOfAsync(() => store.PutAsync(new byte[1])));
            Assert.Equal((StorageFault.Io, true), await FaultOfAsync(() => store.OpenAsync(new BlobRef(new string('a', 64), 1))));
        }
    }

    [Fact]
    public async Task A_full_server_is_told_as_full()
    {
        _gate.Refuse = r => r.StartsWith("PUT", StringComparison.Ordinal) ? 507 : null;
        Assert.Equal((StorageFault.Full, true), await FaultOfAsync(() => _store.PutAsync(new byte[1])));
    }

    [Fact]
    public async Task Anybody_downloads_from_a_presigned_address_and_from_no_other()
    {
        var blob = await _store.PutAsync("abc"u8.ToArray());
        var address = _store.PresignGet(blob, Hour, "Bericht für \"März\".txt");
        using var answer = await _anybody.GetAsync(address);
        Assert.Equal("abc", await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync());
        Assert.Equal(("attachment", "Bericht für \"März\".txt"), (answer.Content.Headers.ContentDisposition!.DispositionType, answer.Content.Headers.ContentDisposition.FileNameStar));

        var forged = new Uri(address.AbsoluteUri.Replace("X-Amz-Expires=3600", "X-Amz-Expires=7200", StringComparison.Ordinal));
        Assert.NotEqual(address, forged);
        using var refused = await _anybody.GetAsync(forged);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    [Fact]
    public async Task An_address_for_clients_is_that_which_they_reach()
    {
        var blob = await _store.PutAsync("abc"u8.ToArray());
        using var behind = new S3BlobStore(S3Options.Parse($"s3://{_options.Bucket}/{_options.Prefix}?endpoint={_gate.Address}&public=http://localhost:{_gate.Address.Port}", _options.AccessKey, _options.SecretKey));
        var address = behind.PresignGet(blob, Hour);
        Assert.Equal("localhost", address.Host);
        Assert.Equal("abc", await _anybody.GetStringAsync(address));
        Assert.Equal("abc"u8.ToArray(), await behind.ReadAsync(blob));
    }

    [Fact]
    public async Task What_anybody_uploads_to_a_presigned_address_is_read_by_its_owner_and_is_no_blob()
    {
        var content = RandomNumberGenerator.GetBytes(100_000);
        var blob = Named(content);
        await Assert.ThrowsAsync<BlobAbsentException>(() => _store.ReadUploadAsync("me", blob));

        using var answer = await _anybody.PutAsync(_store.PresignPut("me", blob, Hour), new ByteArrayContent(content));
        answer.EnsureSuccessStatusCode();
        Assert.Equal(content, await _store.ReadUploadAsync("me", blob));
        Assert.False(await _store.ExistsAsync(blob));
        await Assert.ThrowsAsync<BlobAbsentException>(() => _store.ReadUploadAsync("you", blob));

        await _store.RemoveUploadAsync("me", blob);
        await _store.RemoveUploadAsync("me", blob);
        Assert.Equal(0, await KeptAsync());
    }

    [Fact]
    public async Task Another_upload_than_was_asked_for_is_never_read()
    {
        var content = RandomNumberGenerator.GetBytes(100);
        var blob = Named(content);
        var address = _store.PresignPut("me", blob, Hour);

        // Signed, so that a server which knows no checksums still refuses another length before it is sent.
        Assert.Contains("X-Amz-SignedHeaders=content-length", address.Query, StringComparison.Ordinal);
        foreach (var other in new[] { new byte[100], new byte[101], content[..50] })
        {
            using var answer = await _anybody.PutAsync(address, new ByteArrayContent(other));
            Assert.False(answer.IsSuccessStatusCode);
        }

        // A server that verifies nothing would have taken it.
        foreach (var other in new[] { new byte[100], new byte[101], content[..50] })
        {
            await _gate.OverwriteAsync($"{_options.Prefix}incoming/me/{blob.Sha256}", other);
            await Assert.ThrowsAsync<BlobCorruptException>(() => _store.ReadUploadAsync("me", blob));
            Assert.Equal(0, await KeptAsync());
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(604_801)]
    public void An_address_is_valid_for_a_week_at_most(int seconds) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => _store.PresignGet(new BlobRef(new string('a', 64), 1), TimeSpan.FromSeconds(seconds)));

    protected override Task OverwriteAsync(BlobRef blob, byte[] content) => _gate.OverwriteAsync($"{_options.Prefix}{blob.Sha256[..2]}/{blob.Sha256[2..]}", content);

    protected override async Task<int> KeptAsync() => (await _gate.KeysAsync(_options.Prefix)).Count + _gate.Uploads.Count();

    private static BlobRef Named(byte[] content) => new(Convert.ToHexStringLower(SHA256.HashData(content)), content.Length);

    private static async Task<(string Code, bool Recoverable)> FaultOfAsync(Func<Task> call)
    {
        var fault = (await Assert.ThrowsAsync<StorageUnavailableException>(call)).Fault;
        return (fault.Code, fault.Recoverable);
    }
}
