namespace Millrace.Storage.Blobs;

/// <summary>Reads an object forward. When the connection breaks or stalls it goes on from the same place a few times.</summary>
internal sealed class S3ReadStream(S3Bucket bucket, string key, string etag, Stream content) : Stream
{
    private const int ResumptionsMax = 3;

    private Stream _content = content;
    private long _position;
    private int _resumptions;

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(bucket.Timeout);
            try
            {
                var count = await _content.ReadAsync(buffer, limit.Token);
                _position += count;
                return count;
            }
            catch (Exception e) when (e is IOException or HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                if (_resumptions++ == ResumptionsMax) throw Broken(e);
            }

            await _content.DisposeAsync();
            _content = (await bucket.OpenAsync(key, _position, etag, cancellationToken))?.Content
                ?? throw Broken(new IOException("The object was removed while it was read."));
        }
    }

    public override int Read(Span<byte> buffer)
    {
        try
        {
            var count = _content.Read(buffer);
            _position += count;
            return count;
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw Broken(e);
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override void Flush() { }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _content.Dispose();
        base.Dispose(disposing);
    }

    private static StorageUnavailableException Broken(Exception e) => new(new StorageFault(StorageFault.Io, e.Message, Recoverable: true));
}
